"""Reference pages in Markdown, made of what is installed: nothing in them is written by hand."""
