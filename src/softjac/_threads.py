"""How many threads large calls use."""

import operator
from collections.abc import Iterator
from contextlib import contextmanager

from softjac import kernels
from softjac.errors import ArgumentError, DTypeError

_MOST = 4096  # what the core takes; kernels/native/schedule.h has the same number

_without_core = 1


def set_num_threads(n: int, /) -> None:
    """Set the number of threads that large calls use, from now on and in the whole process.

    The results do not depend on it. At first it is OMP_NUM_THREADS, or else the number of processors this process may
    run on. Without the compiled core the number is kept, but everything runs on the calling thread.

    Raises ArgumentError (a ValueError) for a number outside 1 to 4096, DTypeError (a TypeError) for what is no integer.

    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    """
    global _without_core  # noqa: PLW0603  # a setting of the process, as in the core
    try:
        number = operator.index(n)
    except TypeError:
        raise DTypeError(f"n is {n!r}, a {type(n).__name__}: pass the number of threads as an int.") from None
    if not 1 <= number <= _MOST:
        raise ArgumentError(f"n is {number}: pass a number of threads from 1 to {_MOST}.")
    _without_core = number
    if kernels.native is not None:
        kernels.native.set_num_threads(number)


def get_num_threads() -> int:
    """Get the number of threads that large calls use.

    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    """
    return _without_core if kernels.native is None else int(kernels.native.get_num_threads())


@contextmanager
def num_threads(n: int, /) -> Iterator[None]:
    """Set the number of threads for a block, in the whole process, and set it back after it.

    Raises what `set_num_threads` raises.

    >>> set_num_threads(1)
    >>> with num_threads(2):
    ...     get_num_threads()
    2
    >>> get_num_threads()
    1
    """
    before = get_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)
