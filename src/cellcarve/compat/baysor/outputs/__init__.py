"""Baysor's files, one format each."""
