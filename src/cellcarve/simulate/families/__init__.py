"""Fields of cells of plain shapes, each hard in one way of its own; their truth is as exact as the tissue's."""
