"""Where the cells' arrays of one pass lie, and how they are gone through: together, and in pieces."""

import math
import sys
from collections.abc import Iterator

import numpy as np

# GNU's C library hands what a pass has freed back to the system, which clears it anew for the next
# pass: up to three tenths of its time. It keeps twice as much as the largest block that it has seen come
# and go, but counts none above 32 MiB. Nothing is written to this block, so it takes no memory.
if sys.platform == "linux":
    np.empty(31 * 2**20, np.uint8)


def together(dtype: np.dtype, *shapes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Empty arrays of these shapes, cut from one block of memory.

    Memory above 32 MiB is cleared by the operating system for each pass, and one large block costs
    it less than several: 4 to 7 % of the time of an LSTM of 128 to 256 units.

    >>> a, b = together(np.float32, (5, 2), (3,))
    >>> a.shape, b.shape, a.base is b.base
    ((5, 2), (3,), True)
    """
    block = np.empty(sum(map(math.prod, shapes)), dtype)
    start = 0
    for shape in shapes:
        end = start + math.prod(shape)
        yield block[start:end].reshape(shape)
        start = end


PIECE = 2**20  # bytes: what a core's own cache holds in common processors


def pieces(array: np.ndarray) -> list[slice]:
    """Slices of `array`'s first axis, each of a mebibyte or less, or of one index.

    Several passes over a piece find it in the processor's cache; several passes over a long array
    fetch it from main memory each time, and take twice as long.

    >>> pieces(np.zeros((5, 2**16)))  # two rows are 2^20 bytes
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    T = len(array)
    size = max(1, PIECE * T // array.nbytes)
    return [slice(start, min(start + size, T)) for start in range(0, T, size)]
