"""How a network is run: its precision, what is compiled or recorded, and how tensors travel."""
