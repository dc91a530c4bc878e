"""Data as sequences of characters: vocabularies, batches, held-out splits, and the baselines a model must beat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

import numpy as np

END = "\n"  # closes a name, and (so that the first letter is predicted too) opens it


@dataclass(frozen=True)
class Vocabulary:
    """The symbols a character model knows; symbol k is coded by the number k.

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
        codes = _codes("codes", codes, self.size)
        return "".join(self.symbols[k] for k in codes)

    def one_hot(self, codes: np.ndarray) -> np.ndarray:
        """Return the inputs of a network: ``codes`` (...) become (..., K), one 1 among zeros.

        >>> characters("abc").one_hot([2, 0])
        array([[0., 0., 1.],
               [1., 0., 0.]])
        """
        codes = np.asarray(codes)
        flat = _codes("codes", codes.ravel(), self.size)
        return np.eye(self.size)[flat].reshape(*codes.shape, self.size)


def characters(text: str) -> Vocabulary:
    """Return the vocabulary of all characters in ``text``, in the order of their code points."""
    if not text:
        raise ValueError("text: expected at least one character, got ''")
    return Vocabulary("".join(sorted(set(text))))


def english_text() -> str:
    """Return the shipped English prose: 790 paragraphs, one a line (source: data/README.md).

    >>> english_text()[:50]
    'assert statements are a convenient way to insert d'
    """
    return (files("rnn_teach") / "data" / "english.txt").read_text(encoding="ascii")


def given_names(kind: str = "all") -> list[str]:
    """Return the given names of the US Census of 1990, most frequent first (source: data/README.md).

    kind: "female", "male", or "all" for both lists, each name once.

    >>> given_names("male")[:3], len(given_names())
    (['james', 'john', 'robert'], 5163)
    """
    if kind not in ("all", "female", "male"):
        raise ValueError(f"kind: expected 'all', 'female' or 'male', got {kind!r}")
    kinds = ("female", "male") if kind == "all" else (kind,)
    folder = files("rnn_teach") / "data"
    lists = [(folder / f"names_{k}.txt").read_text(encoding="ascii").splitlines() for k in kinds]
    return list(dict.fromkeys(name for names in lists for name in names))


def hold_out(
    items: Sequence[str], *, share: float = 0.1, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Return (kept, held out): a random ``share`` of ``items`` set aside, both in their old order.

    >>> hold_out(["a", "b", "c", "d"], share=0.5, rng=np.random.default_rng(0))
    (['b', 'd'], ['a', 'c'])
    """
    n_held = round(share * len(items))
    if not 0 < n_held < len(items):
        raise ValueError(
            f"share: expected to hold out at least one of {len(items)} items and not all, got {share}"
        )
    held = np.zeros(len(items), dtype=bool)
    held[rng.permutation(len(items))[:n_held]] = True
    return (
        [item for item, out in zip(items, held, strict=True) if not out],
        [item for item, out in zip(items, held, strict=True) if out],
    )


class Batch(NamedTuple):
    """N sequences for one step of training, time first."""

    x: np.ndarray  # (T, N, K) one-hot
    target: np.ndarray  # (T, N) the code of the symbol that follows
    lengths: np.ndarray | None = None  # (N,) steps of each sequence; None: all T
    carry: bool = False  # True: start from the state in which the batch before ended


def text_batches(
    text: str, vocabulary: Vocabulary, *, N: int, T: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Yield windows of ``T`` symbols from ``N`` places of ``text`` that each read on where they stopped.

    A pass cuts the text (closed to a ring, at a random place) into N equal streams. Window k+1 of a
    stream begins where window k ended and has ``carry=True``: the state may be handed on, so what
    the network remembers is not cut off at a window's edge (only the gradient is). Without end.

    >>> vocabulary = characters("abcdefgh")
    >>> batches = text_batches("abcdefgh", vocabulary, N=2, T=2, rng=np.random.default_rng(1))
    >>> for batch in (next(batches), next(batches)):
    ...     print([vocabulary.decode(codes) for codes in batch.target.T], batch.carry)
    ['ef', 'ab'] False
    ['gh', 'cd'] True
    """
    codes = vocabulary.encode(text)
    n_windows = len(codes) // (N * T) if N > 0 and T > 0 else 0
    if n_windows == 0:
        raise ValueError(f"N, T: expected N*T in 1..{len(codes)} (the text), got {N}*{T}")
    return _text_batches(codes, vocabulary, (N, n_windows, T), rng)


def _text_batches(
    codes: np.ndarray, vocabulary: Vocabulary, shape: tuple[int, int, int], rng: np.random.Generator
) -> Iterator[Batch]:
    while True:
        ring = np.roll(codes, -rng.integers(len(codes)))
        now = ring[: math.prod(shape)].reshape(shape)
        following = np.roll(ring, -1)[: math.prod(shape)].reshape(shape)
        for k in range(shape[1]):
            yield Batch(vocabulary.one_hot(now[:, k].T), following[:, k].T, carry=k > 0)


def name_batches(
    names: Sequence[str], vocabulary: Vocabulary, *, N: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Yield batches of ``N`` names of unequal length, in a new random order each pass. Without end.

    The vocabulary must hold the symbol ``END`` ("\\n").
    """
    if not 0 < N <= len(names):
        raise ValueError(f"N: expected 1..{len(names)}, the number of names, got {N}")
    return _name_batches(list(names), vocabulary, N, rng)


def _name_batches(
    names: list[str], vocabulary: Vocabulary, N: int, rng: np.random.Generator
) -> Iterator[Batch]:
    while True:
        order = rng.permutation(len(names))
        for first in range(0, len(names) - N + 1, N):
            yield padded([names[k] for k in order[first : first + N]], vocabulary)


def padded(names: Sequence[str], vocabulary: Vocabulary) -> Batch:
    """Return all ``names`` as one batch: input END + name, target name + END, short ones filled up.

    >>> batch = padded(["eve", "al"], characters("\\nalev"))
    >>> batch.x.shape, batch.lengths
    ((4, 2, 5), array([4, 3]))
    """
    if not names:
        raise ValueError("names: expected at least one, got none")
    lengths = np.array([len(name) + 1 for name in names])
    codes = np.full((max(lengths) + 1, len(names)), vocabulary.encode(END)[0])
    for n, name in enumerate(names):
        codes[1 : lengths[n], n] = vocabulary.encode(name)
    return Batch(vocabulary.one_hot(codes[:-1]), codes[1:], lengths)


def unigram(codes: np.ndarray, K: int, *, smoothing: float = 1.0) -> np.ndarray:
    """Return p(b) = (count(b) + smoothing) / sum of the same over all b, (K,): no memory at all."""
    counts = np.bincount(_codes("codes", codes, K), minlength=K) + smoothing
    return counts / counts.sum()


def bigram(codes: np.ndarray, K: int, *, smoothing: float = 1.0) -> np.ndarray:
    """Return p(b | a) = (count(ab) + smoothing) / sum of the same over b, (K, K), row a: memory of one.

    >>> bigram([0, 1, 0, 1, 0], 2)
    array([[0.25, 0.75],
           [0.75, 0.25]])
    """
    codes = _codes("codes", codes, K)
    counts = np.bincount(codes[:-1] * K + codes[1:], minlength=K * K).reshape(K, K) + smoothing
    return counts / counts.sum(axis=1, keepdims=True)


def baselines(train: str, held_out: str, vocabulary: Vocabulary) -> dict[str, float]:
    """Return the cross-entropy on ``held_out`` (nats per symbol) of three models counted on ``train``.

    Uniform: ln K. Unigram and bigram: the mean of -ln p(b) and -ln p(b | a) over all neighbors ab,
    with add-one smoothing. All three predict the same symbols: the second to the last.

    >>> loss = baselines("abababab", "ababab", characters("ab"))
    >>> [f"{name} {loss[name]:.3f}" for name in loss]
    ['uniform 0.693', 'unigram 0.693', 'bigram 0.199']
    """
    K = vocabulary.size
    seen, codes = vocabulary.encode(train), vocabulary.encode(held_out)
    if len(codes) < 2:
        raise ValueError(f"held_out: expected at least 2 symbols, got {len(codes)}")
    return {
        "uniform": math.log(K),
        "unigram": float(-np.log(unigram(seen, K)[codes[1:]]).mean()),
        "bigram": float(-np.log(bigram(seen, K)[codes[:-1], codes[1:]]).mean()),
    }


def perplexity(loss: float) -> float:
    """Return e^loss: between how many equally likely symbols a model with this loss hesitates.

    >>> round(perplexity(math.log(37)))
    37
    """
    return math.exp(loss)


def _codes(name: str, codes: Sequence[int] | np.ndarray, K: int) -> np.ndarray:
    """Return ``codes`` as an int array (T,), checked to lie in 0..K-1."""
    array = np.asarray(codes)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise TypeError(f"{name}: expected ints (T,), got {array.dtype} {array.shape}")
    if array.size and not (0 <= array.min() and array.max() < K):
        raise ValueError(f"{name}: expected 0..{K - 1}, got {array.min()}..{array.max()}")
    return array
