"""Built-in plugins around the model: exporters, data sets, a hook and an answer policy; one file each."""
