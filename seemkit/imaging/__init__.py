"""How pictures come in and go out: loading, preparing for the network, drawing results on them."""
