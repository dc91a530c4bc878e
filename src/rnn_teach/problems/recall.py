"""Problems that ask at the end what came at the beginning: copy, temporal order, delayed recall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least, one_hot


@dataclass(frozen=True)
class Copy:
    """Read ten symbols, wait, and say them again when asked.

    With 8 symbols, code 8 is the blank and code 9 the signal. The input is 10 random symbols, delay - 1
    blanks, the signal, 10 blanks; the target is delay + 10 blanks and then the 10 symbols: delay + 20
    steps. (In general ``items`` of them instead of 10, ``symbols`` different ones instead of 8.)

    Knowing when to answer but not what costs nothing for the blanks and ln 8 for each of the ten
    symbols: 10 ln 8 / (delay + 20) in the mean over time.

    Raises TypeError or ValueError naming the argument.
    Source: Arjovsky, Shah & Bengio 2016, after Hochreiter & Schmidhuber 1997.

    >>> problem = Copy(delay=3, items=2, symbols=8)
    >>> x, target, *_ = problem.batch(1, rng=np.random.default_rng(0))
    >>> x.argmax(axis=-1).ravel(), target.ravel()
    (array([6, 5, 8, 8, 9, 8, 8]), array([8, 8, 8, 8, 8, 6, 5]))
    >>> round(Copy(delay=100).baseline(), 5)
    0.17329
    """

    delay: int = 100
    items: int = 10
    symbols: int = 8
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def __post_init__(self) -> None:
        at_least(1, delay=self.delay, items=self.items)
        at_least(2, symbols=self.symbols)

    @property
    def D(self) -> int:
        """The symbols, the blank and the signal."""
        return self.symbols + 2

    @property
    def K(self) -> int:
        """The symbols and the blank."""
        return self.symbols + 1

    @property
    def T(self) -> int:
        """Steps of a sequence: delay + 2 items."""
        return self.delay + 2 * self.items

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x one-hot (T, N, D), target (T, N)."""
        at_least(1, N=N)
        said = rng.integers(self.symbols, size=(self.items, N))
        codes = np.full((self.T, N), self.symbols)
        target = codes.copy()
        codes[: self.items] = target[-self.items :] = said
        codes[-self.items - 1] = self.symbols + 1
        return Batch(one_hot(codes, self.D), target)

    def baseline(self) -> float:
        """Return the mean cross-entropy of knowing when to answer, not what: items ln symbols / T."""
        return self.items * math.log(self.symbols) / self.T


@dataclass(frozen=True)
class TemporalOrder:
    """Say in which order two (or three) X and Y came, hidden among symbols that mean nothing.

    A sequence has T to T + T/10 steps. It starts with E, ends with B, and is made of a, b, c, d, but
    for one X or Y at each of the places t1, t2 (and t3), counted from 1:

        relevant=2   t1 in T/10..2T/10,  t2 in 50T/100..60T/100
        relevant=3   t1 in T/10..2T/10,  t2 in 33T/100..43T/100,  t3 in 66T/100..76T/100

    all rounded down, and all equally likely. The class is read as a binary number, X = 0 and Y = 1,
    t1 first: XX, XY, YX, YY are 0, 1, 2, 3. For T = 100 this is the paper's; it gives no other T.

    Raises TypeError or ValueError naming the argument.
    Source: Hochreiter & Schmidhuber 1997.

    >>> problem = TemporalOrder(T=20)
    >>> x, target, lengths, _ = problem.batch(1, rng=np.random.default_rng(3))
    >>> "".join("EBabcdXY"[k] for k in x[:, 0].argmax(axis=-1)), target
    ('EaYaddcaabXcbbaccaabbB', array([2]))
    >>> round(problem.baseline(), 4), round(TemporalOrder(relevant=3).baseline(), 4)
    (1.3863, 2.0794)
    """

    T: int = 100
    relevant: int = 2
    D: ClassVar[int] = 8
    symbols: ClassVar[str] = "EBabcdXY"
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy", "at": "last"}

    def __post_init__(self) -> None:
        at_least(20, T=self.T)  # or a relevant symbol could fall on E
        if self.relevant not in (2, 3):
            raise ValueError(f"relevant: expected 2 or 3, got {self.relevant!r}")

    @property
    def K(self) -> int:
        """Classes: 4 or 8."""
        return 2**self.relevant

    @property
    def places(self) -> list[tuple[int, int]]:
        """The first and the last place of each relevant symbol, counted from 1."""
        percents = (10, 50) if self.relevant == 2 else (10, 33, 66)
        return [(p * self.T // 100, (p + 10) * self.T // 100) for p in percents]

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x one-hot (longest, N, 8), target (N,), lengths (N,)."""
        at_least(1, N=N)
        n = np.arange(N)
        lengths = rng.integers(self.T, self.T + self.T // 10, size=N, endpoint=True)
        codes = rng.integers(2, 6, size=(lengths.max(), N))
        codes[0], codes[lengths - 1, n] = 0, 1
        target = np.zeros(N, dtype=np.int64)
        for first, last in self.places:
            y = rng.integers(2, size=N)
            codes[rng.integers(first, last, size=N, endpoint=True) - 1, n] = 6 + y
            target = 2 * target + y
        codes[np.arange(len(codes))[:, None] >= lengths] = -1
        return Batch(one_hot(codes, self.D), target, lengths)

    def baseline(self) -> float:
        """Return the cross-entropy of a guess among all classes: ln 4 or ln 8."""
        return math.log(self.K)


@dataclass(frozen=True)
class DelayedRecall:
    """Say at the last of ``T`` steps which symbol came at the first; those between are noise.

    All symbols are random and of one kind, so what to keep is told by the time alone. It is the
    smallest problem in which a gradient must reach the first step.

    Raises TypeError or ValueError naming the argument.
    Source: the latching problem of Bengio, Simard & Frasconi 1994, with symbols for numbers.

    >>> problem = DelayedRecall(T=5, symbols=3)
    >>> x, target, *_ = problem.batch(1, rng=np.random.default_rng(0))
    >>> x.argmax(axis=-1).ravel(), target
    (array([2, 1, 1, 0, 0]), array([2]))
    >>> round(problem.baseline(), 4)
    1.0986
    """

    T: int = 50
    symbols: int = 2
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy", "at": "last"}

    def __post_init__(self) -> None:
        at_least(1, T=self.T)
        at_least(2, symbols=self.symbols)

    @property
    def D(self) -> int:
        """One input for each symbol."""
        return self.symbols

    @property
    def K(self) -> int:
        """One output for each symbol."""
        return self.symbols

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x one-hot (T, N, symbols), target (N,)."""
        at_least(1, N=N)
        codes = rng.integers(self.symbols, size=(self.T, N))
        return Batch(one_hot(codes, self.D), codes[0])

    def baseline(self) -> float:
        """Return the cross-entropy of a guess among all symbols: ln symbols."""
        return math.log(self.symbols)
