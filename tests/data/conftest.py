"""What the tests of data share."""

import mmap

import numpy as np
import pytest


def _in_file(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), mmap.mmap)


@pytest.fixture
def in_file():
    """Whether an array lies in a file."""
    return _in_file
