"""Where the cells' arrays of one pass lie: together."""

import math
from collections.abc import Iterator

import numpy as np


def together(dtype: np.dtype, *shapes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Empty arrays of these shapes, cut from one block of memory.

    The operating system clears memory before it hands it out, and many small blocks cost it
    several times as long as a large one: for the cells up to a quarter of their time.

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
