"""Text encoders that ship with seemkit; each component has a module, found by `seemkit.text_encoders`."""
