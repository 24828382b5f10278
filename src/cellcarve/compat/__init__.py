"""Stand-ins for other programs: their arguments to our settings, our results to their files."""
