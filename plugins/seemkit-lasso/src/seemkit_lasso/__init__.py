"""A prompt for seemkit: a loop drawn loosely around the object."""
