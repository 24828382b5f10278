"""Colours as text."""

import numpy as np

_DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)


def hex_codes(colour: np.ndarray) -> np.ndarray:
    """``#RRGGBB`` of red, green and blue.

    Parameters
    ----------
    colour
        (n, 3) uint8.

    Returns
    -------
    numpy.ndarray
        (n,) text.

    >>> hex_codes(np.array([[255, 0, 16]], np.uint8)).tolist()
    ['#FF0010']
    """
    code = np.empty((len(colour), 7), np.uint8)
    code[:, 0] = ord("#")
    code[:, 1::2] = _DIGITS[colour >> 4]
    code[:, 2::2] = _DIGITS[colour & 15]
    return code.view("S7").ravel().astype(str)
