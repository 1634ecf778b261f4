"""How are numbers drawn? Inline SVG and text from plain values: no script, no style of its own, nothing to load."""
