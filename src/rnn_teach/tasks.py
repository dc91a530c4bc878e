"""What there is to learn: text and names, with the baselines that count, and the problems of the literature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np

from .problems.adding import Adding, HochreiterAdding
from .problems.batch import Batch, batches
from .problems.expressions import Expressions
from .problems.grammars import Counting, EmbeddedReber
from .problems.numerals import NumberWords, spelled
from .problems.recall import Copy, DelayedRecall, TemporalOrder
from .problems.series import NoisySines, Sunspots, sunspots
from .problems.vocabulary import END, Vocabulary, characters, checked_codes

__all__ = [
    "END",
    "Adding",
    "Batch",
    "Copy",
    "Counting",
    "DelayedRecall",
    "EmbeddedReber",
    "EnglishText",
    "Expressions",
    "GivenNames",
    "HochreiterAdding",
    "NoisySines",
    "NumberWords",
    "Sunspots",
    "TemporalOrder",
    "Vocabulary",
    "baselines",
    "batches",
    "bigram",
    "characters",
    "english_text",
    "given_names",
    "hold_out",
    "name_batches",
    "padded",
    "perplexity",
    "spelled",
    "sunspots",
    "text_batches",
    "unigram",
]


def english_text() -> str:
    """Return the shipped English prose: 790 paragraphs, one a line (source: data/README.md).

    >>> english_text()[:50]
    'assert statements are a convenient way to insert d'
    """
    return (files("rnn_teach") / "data" / "english.txt").read_text(encoding="ascii")


def given_names(kind: str = "all") -> list[str]:
    """Return the given names of the US Census of 1990, most frequent first (source: data/README.md).

    kind: "female", "male", or "all" for both lists, each name once.
    Raises ValueError for another kind.

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

    Raises ValueError if nothing would be held out, or nothing kept.

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


def text_batches(
    text: str, vocabulary: Vocabulary, *, N: int, T: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Yield windows of ``T`` symbols from ``N`` places of ``text`` that each read on where they stopped.

    A pass cuts the text (closed to a ring, at a random place) into N equal streams. Window k+1 of a
    stream begins where window k ended and has ``carry=True``: the state may be handed on, so what
    the network remembers is not cut off at a window's edge (only the gradient is). Without end.

    Raises ValueError unless N T is in 1..len(text), and for a character not in the vocabulary.

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
    Raises ValueError unless N is in 1..len(names).

    >>> names, rng = ["eve", "al", "joe"], np.random.default_rng(0)
    >>> batch = next(name_batches(names, characters(END + "".join(names)), N=2, rng=rng))
    >>> batch.x.shape, batch.lengths
    ((4, 2, 7), array([4, 4]))
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

    Raises ValueError for no names, and for a character that is not in the vocabulary.

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
    """Return p(b) = (count(b) + smoothing) / sum of the same over all b, (K,): no memory at all.

    codes (T,), integers in 0..K-1.

    >>> unigram([0, 1, 0, 0], 2)
    array([0.66666667, 0.33333333])
    """
    counts = np.bincount(checked_codes("codes", codes, K), minlength=K) + smoothing
    return counts / counts.sum()


def bigram(codes: np.ndarray, K: int, *, smoothing: float = 1.0) -> np.ndarray:
    """Return p(b | a) = (count(ab) + smoothing) / sum of the same over b: (K, K), row a.

    A memory of one symbol. codes (T,), integers in 0..K-1.

    >>> bigram([0, 1, 0, 1, 0], 2)
    array([[0.25, 0.75],
           [0.75, 0.25]])
    """
    codes = checked_codes("codes", codes, K)
    pairs = np.bincount(codes[:-1] * K + codes[1:], minlength=K * K)
    counts = pairs.reshape(K, K) + smoothing
    return counts / counts.sum(axis=1, keepdims=True)


def baselines(train: str, held_out: str, vocabulary: Vocabulary) -> dict[str, float]:
    """Return the cross-entropy on ``held_out`` (nats per symbol) of three models counted on ``train``.

    Uniform: ln K. Unigram and bigram: the mean of -ln p(b) and -ln p(b | a) over all neighbors ab,
    with add-one smoothing. All three predict the same symbols: the second to the last.
    Raises ValueError unless ``held_out`` has two symbols or more, all in the vocabulary.

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


class EnglishText:
    """Predict the next character of the shipped English, ``T`` characters at a time.

    A tenth of the paragraphs, chosen by ``rng``, is held out. Attributes: train and held_out, both
    str; vocabulary.
    Raises ValueError unless T is positive and shorter than the text.
    Source: Shannon 1951, who let people guess; Sutskever, Martens & Hinton 2011.

    >>> task = EnglishText(T=50, rng=np.random.default_rng(0))
    >>> task.batch(4, rng=np.random.default_rng(0)).x.shape
    (50, 4, 37)
    """

    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def __init__(self, T: int = 50, *, rng: np.random.Generator) -> None:
        kept, held = hold_out(english_text().splitlines(keepends=True), rng=rng)
        self.train, self.held_out = "".join(kept), "".join(held)
        if not 0 < T < len(self.train):
            raise ValueError(f"T: expected 1..{len(self.train) - 1}, got {T}")
        self.T, self.vocabulary = T, characters(english_text())
        self.D = self.K = self.vocabulary.size

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N windows from any place of ``train``: x one-hot (T, N, K), target (T, N)."""
        starts = rng.integers(len(self.train) - self.T, size=N)
        windows = [self.train[start : start + self.T + 1] for start in starts]
        codes = np.stack([self.vocabulary.encode(window) for window in windows], axis=1)
        return Batch(self.vocabulary.one_hot(codes[:-1]), codes[1:])

    def baseline(self) -> float:
        """Return the bigram's cross-entropy on ``held_out``; see ``baselines`` for the weaker ones."""
        return baselines(self.train, self.held_out, self.vocabulary)["bigram"]


class GivenNames:
    """Predict the next letter of a given name, and its end. A tenth of the names is held out by ``rng``.

    Attributes: train and held_out, both lists of names; vocabulary.
    Source: the names: data/README.md; letters to a recurrent network: Elman 1990.

    >>> task = GivenNames(rng=np.random.default_rng(0))
    >>> task.batch(2, rng=np.random.default_rng(0)).lengths
    array([4, 6])
    """

    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def __init__(self, kind: str = "all", *, rng: np.random.Generator) -> None:
        self.train, self.held_out = hold_out(given_names(kind), rng=rng)
        self.vocabulary = characters(END + "".join(given_names(kind)))
        self.D = self.K = self.vocabulary.size

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N names of ``train``, drawn with replacement, as ``padded`` does."""
        return padded(
            [self.train[k] for k in rng.integers(len(self.train), size=N)], self.vocabulary
        )

    def baseline(self) -> float:
        """Return the bigram's cross-entropy on ``held_out``, in nats per symbol as ``evaluate`` counts."""
        train, held_out = (END + END.join(part) + END for part in (self.train, self.held_out))
        return baselines(train, held_out, self.vocabulary)["bigram"]
