"""Strings with a rule: predict the next symbol of an embedded Reber grammar, or of a^n b^n."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least, one_hot

# node -> the two edges that leave it, each equally likely: (symbol, next node); node 5 is the end
REBER = {
    0: (("T", 1), ("P", 2)),
    1: (("S", 1), ("X", 3)),
    2: (("T", 2), ("V", 4)),
    3: (("X", 2), ("S", 5)),
    4: (("P", 3), ("V", 5)),
}


@dataclass(frozen=True)
class EmbeddedReber:
    """Predict the next symbol of B w R w E, where w is T or P and R is a string of Reber's grammar.

    R is B, a walk from node 0 to node 5 of ``REBER``, E. Every symbol but one follows from the last
    few; only the second w must be remembered, over the whole length of R. Strings have 9 symbols or
    more, without limit. Beyond a string's end x is 0 and the target is symbol 0.

    Raises TypeError or ValueError naming the argument.
    Source: Reber 1967; embedded: Cleeremans, Servan-Schreiber & McClelland 1989; Hochreiter &
    Schmidhuber 1997.

    >>> problem = EmbeddedReber()
    >>> problem.string(rng=np.random.default_rng(1))
    'BTBPVVETE'
    >>> x, target, lengths, _ = problem.batch(3, rng=np.random.default_rng(1))
    >>> x.shape, target.shape, lengths
    ((14, 3, 7), (14, 3), array([ 8,  8, 14]))
    >>> round(problem.baseline(), 4)
    1.9459
    """

    D: ClassVar[int] = 7
    K: ClassVar[int] = 7
    symbols: ClassVar[str] = "BTPSXVE"
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def string(self, *, rng: np.random.Generator) -> str:
        """Return one string, B and E included."""
        w = "TP"[rng.integers(2)]
        walk, node = "", 0
        while node in REBER:
            symbol, node = REBER[node][rng.integers(2)]
            walk += symbol
        return f"B{w}B{walk}E{w}E"

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N strings: x one-hot (T, N, 7), target (T, N), lengths (N,)."""
        at_least(1, N=N)
        return _next_symbol([self.string(rng=rng) for _ in range(N)], self.symbols)

    def baseline(self) -> float:
        """Return the cross-entropy of a guess among all symbols: ln 7."""
        return math.log(self.K)


@dataclass(frozen=True)
class Counting:
    """Predict the next symbol of $ a^n b^n $: as many b as there were a, and then the end.

    n is drawn evenly from ``least``..``most``. "$" opens a string and closes it. How many a come is
    chance, but from the first b on all is certain for whoever has counted. Train on small n, test on
    large. Beyond a string's end x is 0 and the target is symbol 0.

    Raises TypeError or ValueError naming the argument.
    Source: Gers & Schmidhuber 2001, who call the opening symbol S and the closing one T.

    >>> problem = Counting(most=4)
    >>> x, target, lengths, _ = problem.batch(2, rng=np.random.default_rng(5))
    >>> ["".join(problem.symbols[k] for k in target[:T, n]) for n, T in enumerate(lengths)]
    ['aaabbb$', 'aaaabbbb$']
    >>> round(problem.baseline(), 4)
    0.5566
    """

    most: int = 10
    least: int = 1
    D: ClassVar[int] = 3
    K: ClassVar[int] = 3
    symbols: ClassVar[str] = "$ab"
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def __post_init__(self) -> None:
        at_least(1, least=self.least)
        at_least(self.least, most=self.most)

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N strings: x one-hot (T, N, 3), target (T, N), lengths (N,)."""
        at_least(1, N=N)
        drawn = rng.integers(self.least, self.most, size=N, endpoint=True)
        return _next_symbol([f"${'a' * n}{'b' * n}$" for n in drawn], self.symbols)

    def baseline(self) -> float:
        """Return the smallest cross-entropy without memory: the best guess from the present symbol alone.

        After $ comes a. After a, another a or the first b, whose best probability p is the share of
        the a that are a string's last; after b the same, with the end. Each string has 2n + 1 steps
        and weighs the same, so with w_n = 1/(2n + 1) and means over n

            p = mean(w_n) / mean(n w_n),   L = 2 mean(n w_n) (-p ln p - (1 - p) ln(1 - p))
        """
        n = np.arange(self.least, self.most + 1)
        w = 1 / (2 * n + 1)
        p = w.mean() / (n * w).mean()
        entropy = 0.0 if p == 1 else -p * math.log(p) - (1 - p) * math.log(1 - p)
        return float(2 * (n * w).mean() * entropy)


def _next_symbol(strings: list[str], symbols: str) -> Batch:
    """The strings without their last symbol, the strings without their first, and how long they are."""
    lengths = np.array([len(string) - 1 for string in strings])
    codes = np.full((lengths.max() + 1, len(strings)), -1)
    for n, string in enumerate(strings):
        codes[: len(string), n] = [symbols.index(symbol) for symbol in string]
    read = np.where(np.arange(len(codes) - 1)[:, None] < lengths, codes[:-1], -1)
    return Batch(one_hot(read, len(symbols)), np.maximum(codes[1:], 0), lengths)
