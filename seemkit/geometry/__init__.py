"""Where prompts lie: the frame of the original image, the input grid, and regions on it."""
