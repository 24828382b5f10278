"""Stand-in for proseg 3: its arguments, presets, inputs, file names and columns."""
