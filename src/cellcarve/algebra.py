"""Linear algebra whose sums are the same on every machine."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Leave the libraries of linear algebra one thread: they add up in an order that depends on how many they have."""
    # SciPy has a library of its own, which can only be told once it is loaded.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield
