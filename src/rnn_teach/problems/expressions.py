"""Logic as Python writes it: one expression, to be read as a tree or character by character."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least, one_hot

Tree = tuple | str  # (sign, left, right), or the bit of a leaf

SIGNS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}


def parse(text: str) -> Tree:
    """Return the parse tree of an expression, as Python itself reads it.

    An operation is (sign, left, right) and a leaf its bit: nested tuples, as `tree.Recursive` takes
    them. The parentheses are gone; what they said is in the tree.
    Raises ValueError for anything but 0, 1, &, | and ^; SyntaxError where Python does.

    >>> parse("1|0&1"), parse("(1|0)&1")
    (('|', '1', ('&', '0', '1')), ('&', ('|', '1', '0'), '1'))
    """

    def tuples(node: ast.expr) -> Tree:
        match node:
            case ast.BinOp(left, sign, right) if type(sign) in SIGNS:
                return SIGNS[type(sign)], tuples(left), tuples(right)
            case ast.Constant(int(bit)) if bit in (0, 1) and not isinstance(bit, bool):
                return str(bit)
        raise ValueError(f"text: expected 0, 1, &, | and ^, got {ast.unparse(node)!r} in {text!r}")

    return tuples(ast.parse(text, mode="eval").body)


def value(tree: Tree) -> int:
    """Return what a tree is worth, 0 or 1, folded up from its leaves.

    >>> value(("&", "1", ("^", "1", "0")))
    1
    """
    if isinstance(tree, str):
        return int(tree)
    sign, left, right = tree
    a, b = value(left), value(right)
    return {"&": a & b, "|": a | b, "^": a ^ b}[sign]


@dataclass(frozen=True)
class Expressions:
    """Work out an expression of the bits 0 and 1 with & (and), | (or) and ^ (either, not both).

    An expression's depth, the most signs between a bit and the whole, is drawn evenly from
    ``least``..``most``. One side of its sign is one less deep; the other side's depth is drawn evenly
    from all that are less. Which side is which, the signs and the bits are drawn evenly, too, and
    then both answers are equally likely at every depth. All signs but the outermost stand in
    parentheses, so nobody has to know which of them Python takes first.

    Raises TypeError or ValueError naming the argument.
    Source: after Bowman, Manning & Potts 2015, who train on short logical expressions and test on
    longer ones.

    >>> problem = Expressions(most=3)
    >>> texts = problem.draw(3, rng=np.random.default_rng(1))
    >>> texts
    ['(0|0)^(0^1)', '(0|0)^0', '(1&(1&1))&0']
    >>> problem.as_sequences(texts).x.shape, problem.as_trees(texts).x[1]
    ((11, 3, 7), ('^', ('|', '0', '0'), '0'))
    >>> problem.as_trees(texts).target
    array([1, 0, 0])
    """

    most: int = 3
    least: int = 1
    D: ClassVar[int] = 7
    K: ClassVar[int] = 2
    symbols: ClassVar[str] = "&|^01"  # of a tree
    characters: ClassVar[str] = "&|^01()"  # of a sequence
    options: ClassVar[dict[str, Any]] = {"loss": "cross_entropy", "at": "last"}

    def __post_init__(self) -> None:
        at_least(0, least=self.least)
        at_least(self.least, most=self.most)

    def draw(self, N: int, *, rng: np.random.Generator) -> list[str]:
        """Return N expressions as text.

        >>> Expressions(most=0, least=0).draw(4, rng=np.random.default_rng(0))
        ['1', '1', '1', '0']
        """
        at_least(1, N=N)
        depths = rng.integers(self.least, self.most, size=N, endpoint=True)
        return [_draw(depth, rng).removeprefix("(").removesuffix(")") for depth in depths]

    def as_trees(self, texts: Sequence[str]) -> Batch:
        """Return the texts' parse trees, a list of N in the place of x, and their values (N,).

        >>> Expressions().as_trees(["1|0", "1"])
        Batch(x=[('|', '1', '0'), '1'], target=array([1, 1]), lengths=None, carry=False)
        """
        trees = [parse(text) for text in texts]
        return Batch(trees, np.array([value(tree) for tree in trees]))

    def as_sequences(self, texts: Sequence[str]) -> Batch:
        """Return the texts' characters, x one-hot (T, N, 7), their values (N,), and lengths (N,).

        Raises ValueError naming a text with other characters.

        >>> x, target, lengths, _ = Expressions().as_sequences(["1|0", "1"])
        >>> x.argmax(axis=2).T, lengths
        (array([[4, 1, 3],
               [4, 0, 0]]), array([3, 1]))
        """
        lengths = np.array([len(text) for text in texts])
        codes = np.full((lengths.max(), len(texts)), -1)
        for n, text in enumerate(texts):
            if set(text) - set(self.characters):
                raise ValueError(f"texts: expected characters of {self.characters!r}, got {text!r}")
            codes[: len(text), n] = [self.characters.index(character) for character in text]
        values = np.array([value(parse(text)) for text in texts])
        return Batch(one_hot(codes, self.D), values, lengths)

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N expressions character by character: x one-hot (T, N, 7), target (N,), lengths (N,)."""
        return self.as_sequences(self.draw(N, rng=rng))

    def baseline(self) -> float:
        """Return the cross-entropy of a guess: ln 2.

        If a side is 1 with probability 1/2, so is a & b with 1/4, a | b with 3/4, a ^ b with 1/2, and
        the mean of the three is 1/2 again.
        """
        return math.log(self.K)


def _draw(depth: int, rng: np.random.Generator) -> str:
    """One expression of this depth, in parentheses unless it is a bit."""
    if depth == 0:
        return str(rng.integers(2))
    deeper, other = _draw(depth - 1, rng), _draw(rng.integers(depth), rng)
    left, right = (deeper, other) if rng.integers(2) else (other, deeper)
    return f"({left}{'&|^'[rng.integers(3)]}{right})"
