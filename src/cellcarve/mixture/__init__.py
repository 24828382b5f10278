"""The method mixture: transcripts as draws from a mixture of cells, each a Gaussian with a gene composition."""
