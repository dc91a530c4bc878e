"""The symbols that a character model knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

END = "\n"  # closes a name, and (so that the first letter is predicted too) opens it


@dataclass(frozen=True)
class Vocabulary:
    """The symbols a character model knows; symbol k is coded by the number k.

    Raises ValueError unless symbols are characters, each once.

    >>> vocabulary = characters("hello")
    >>> vocabulary.symbols, vocabulary.size
    ('ehlo', 4)
    >>> vocabulary.encode("hole")
    array([1, 3, 2, 0])
    >>> vocabulary.decode([1, 3, 2, 0])
    'hole'
    """

    symbols: str

    def __post_init__(self) -> None:
        if not self.symbols or len(set(self.symbols)) < len(self.symbols):
            raise ValueError(f"symbols: expected characters, each once, got {self.symbols!r}")

    @property
    def size(self) -> int:
        """K, the number of different symbols."""
        return len(self.symbols)

    def encode(self, text: str) -> np.ndarray:
        """Return the codes of ``text``, ints (T,).

        Raises ValueError naming every character that is not in the vocabulary.
        """
        code = {symbol: k for k, symbol in enumerate(self.symbols)}
        unknown = sorted(set(text) - code.keys())
        if unknown:
            raise ValueError(
                f"text: expected characters of {self.symbols!r}, got {', '.join(map(repr, unknown))}"
            )
        return np.array([code[symbol] for symbol in text], dtype=np.int64)

    def decode(self, codes: Sequence[int] | np.ndarray) -> str:
        """Return the text that ``codes``, ints (T,), stand for."""
        codes = checked_codes("codes", codes, self.size)
        return "".join(self.symbols[k] for k in codes)

    def one_hot(self, codes: np.ndarray) -> np.ndarray:
        """Return the inputs of a network: ``codes`` (...) become (..., K), one 1 among zeros.

        >>> characters("abc").one_hot([2, 0])
        array([[0., 0., 1.],
               [1., 0., 0.]])
        """
        codes = np.asarray(codes)
        flat = checked_codes("codes", codes.ravel(), self.size)
        return np.eye(self.size)[flat].reshape(*codes.shape, self.size)


def characters(text: str) -> Vocabulary:
    """Return the vocabulary of all characters in ``text``, in the order of their code points.

    Raises ValueError for an empty text.

    >>> characters("hello").symbols
    'ehlo'
    """
    if not text:
        raise ValueError("text: expected at least one character, got ''")
    return Vocabulary("".join(sorted(set(text))))


def checked_codes(name: str, codes: Sequence[int] | np.ndarray, K: int) -> np.ndarray:
    """Return ``codes`` as an int array (T,), checked to lie in 0..K-1."""
    array = np.asarray(codes)
    if array.size == 0:
        array = array.astype(np.intp)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise TypeError(f"{name}: expected ints (T,), got {array.dtype} {array.shape}")
    if array.size and not (0 <= array.min() and array.max() < K):
        raise ValueError(f"{name}: expected 0..{K - 1}, got {array.min()}..{array.max()}")
    # NumPy counts no wider codes than the machine's own: in a browser these have 32 bits
    return array.astype(np.intp, copy=False)
