"""Baysor's command line, configuration and files, on top of the method mixture."""
