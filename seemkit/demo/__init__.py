"""What `seemkit demo` shows: a real photo, segmented by every kind of prompt, on one contact sheet."""
