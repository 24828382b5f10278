"""Terms of the log posterior of the labels, one a file: the change that a move makes, and the plain full value."""
