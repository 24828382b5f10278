"""Priors that lie over pixels: label images, bins and polygons."""
