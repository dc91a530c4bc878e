"""What learners write: right functions in several spellings, and one edit for every misconception."""

from typing import NamedTuple

import numpy as np


class Learner(NamedTuple):
    """A learner's function as text, so that a misconception is an edit of it."""

    right: str
    also: tuple[str, ...]  # other right spellings
    wrong: tuple[tuple[str, ...], ...]  # how the misconception begins, old, new, old, new, ...


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def function(source: str):
    """The last function defined in `source`."""
    scope = {"np": np, "sigmoid": sigmoid}
    exec(source, scope)  # noqa: S102  these are our own lines
    return list(scope.values())[-1]


def edited(source: str, *edits: str) -> str:
    """`source` after the edits, each of which must find its place."""
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        assert old in source, f"{old!r} is not in\n{source}"
        source = source.replace(old, new)
    return source
