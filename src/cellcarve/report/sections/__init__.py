"""One file per section; each has one function that makes it from the run and its numbers."""
