"""seemkit: promptable segmentation as a framework of plugins."""
