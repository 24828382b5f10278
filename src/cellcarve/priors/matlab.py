"""Matrices of MATLAB files."""

from pathlib import Path

import numpy as np

from cellcarve.errors import InputError


def read_matlab(path: Path) -> np.ndarray:
    """The first variable of a ``.mat`` file, of any version, whatever it holds.

    Raises
    ------
    InputError
        The file holds no variable.
    """
    import h5py

    if h5py.is_hdf5(path):
        with h5py.File(path) as file:
            names = [name for name in file if isinstance(file[name], h5py.Dataset)]
            # MATLAB stores columns first.
            found = [np.asarray(file[name]).T for name in names[:1]]
    else:
        from scipy.io import loadmat

        content = loadmat(path)
        found = [value for name, value in content.items() if not name.startswith("__")][:1]
    if not found:
        raise InputError(f"{path} holds no matrix; save the labels as its only variable")
    value = found[0]
    return np.asarray(value.todense()) if hasattr(value, "todense") else np.asarray(value)
