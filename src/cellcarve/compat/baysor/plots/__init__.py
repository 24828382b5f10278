"""Baysor's pages: borders, diagnostics and preview, each a file that needs no other."""
