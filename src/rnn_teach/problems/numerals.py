"""Numbers in English words, to be written in digits: a small translation with an exact answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least, one_hot

NAMES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
WORDS = NAMES.split()
UNITS, TENS = WORDS[:19], WORDS[19:27]
LARGEST = 999_999
END = 10  # the symbol after the last digit; symbols 0 to 9 are the digits


def spelled(number: int) -> str:
    """Return ``number``, 1 to 999,999, in English words, without hyphens and without "and".

    Raises TypeError or ValueError for another one.

    >>> spelled(342_017)
    'three hundred forty two thousand seventeen'
    """
    at_least(1, number=number)
    if number > LARGEST:
        raise ValueError(f"number: expected 1..{LARGEST}, got {number}")
    thousands, rest = divmod(number, 1000)
    return " ".join([*_group(thousands), *(["thousand"] if thousands else []), *_group(rest)])


def _group(number: int) -> list[str]:
    """A number below 1000 in words; none for 0."""
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds - 1], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(TENS[rest // 10 - 2])
        rest %= 10
    return words + ([UNITS[rest - 1]] if rest else [])


class NumberWords:
    """Read a number from 1 to 999,999 in words, write it in digits, then say that it is done.

    Every number there is has one spelling. A tenth of those of each count of words is held out by
    ``rng``: none of the answers asked for there has ever been given. In a batch each count is equally
    likely, and then each number of that count.

    Attributes: train and held_out, the numbers by their count of words, 1 to 9; longest, 9; digits,
    6; end, the symbol that ends an answer.
    Source: the task is ours, in the manner of Zaremba & Sutskever 2014, who had programs for words.

    >>> problem = NumberWords(rng=np.random.default_rng(0))
    >>> x, target, lengths, _ = problem.encoded([7, 1984])
    >>> x.shape, lengths
    ((6, 2, 29), array([1, 6]))
    >>> target.T  # 10 ends an answer, and fills up behind it
    array([[ 7, 10, 10, 10, 10],
           [ 1,  9,  8,  4, 10]])
    """

    D: ClassVar[int] = len(WORDS)
    K: ClassVar[int] = 11
    end: ClassVar[int] = END
    longest: ClassVar[int] = 9
    digits: ClassVar[int] = 6
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy"}

    def __init__(self, *, rng: np.random.Generator) -> None:
        group = np.array([len(_group(number)) for number in range(1000)])
        numbers = np.arange(1, LARGEST + 1)
        count = group[numbers // 1000] + (numbers >= 1000) + group[numbers % 1000]
        self.train, self.held_out = {}, {}
        for words in range(1, self.longest + 1):
            mixed = rng.permutation(numbers[count == words])
            kept_back = math.ceil(len(mixed) / 10)
            self.held_out[words], self.train[words] = mixed[:kept_back], mixed[kept_back:]

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N pairs of ``train``: x one-hot (S, N, 29), target (T, N), lengths (N,)."""
        at_least(1, N=N)
        counts = rng.integers(1, self.longest, size=N, endpoint=True)
        return self.encoded([rng.choice(self.train[count]) for count in counts])

    @classmethod
    def encoded(cls, numbers: Sequence[int] | np.ndarray) -> Batch:
        """Return these pairs, N of them: x one-hot (S, N, 29), target (T, N), lengths (N,).

        Arguments: numbers (N,), each 1 to 999,999.
        Raises TypeError or ValueError for another one, or for none.

        >>> x = NumberWords.encoded([2017]).x
        >>> [WORDS[code] for code in x[:, 0].argmax(axis=1)]
        ['two', 'thousand', 'seventeen']
        """
        if not len(numbers):
            raise ValueError("numbers: expected at least one, got none")
        sources = [spelled(number).split() for number in numbers]
        answers = [str(number) for number in numbers]
        lengths = np.array([len(source) for source in sources])
        codes = np.full((lengths.max(), len(sources)), -1)
        target = np.full((max(map(len, answers)) + 1, len(sources)), END)
        for n, (source, answer) in enumerate(zip(sources, answers, strict=True)):
            codes[: len(source), n] = [WORDS.index(word) for word in source]
            target[: len(answer), n] = [int(digit) for digit in answer]
        return Batch(one_hot(codes, cls.D), target, lengths)

    def baseline(self) -> float:
        """Return ln 11, the cross-entropy of a guess among all symbols, in nats per symbol."""
        return math.log(self.K)
