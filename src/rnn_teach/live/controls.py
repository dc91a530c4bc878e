"""What a reader can move: finite lists of values, and the grid of states they span."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
from matplotlib.artist import Artist

Value = bool | int | float | str
State = tuple[int, ...]  # one index per control: a state is never keyed by a formatted float

KINDS = ("slider", "select", "checkbox")


@dataclass(frozen=True)
class Control:
    """An explicit, finite list of values under a native control.

    Parameters
    ----------
    values : the values, in order (bool, int, float or str); a dict maps shown texts to values.
    label : the words beside the control; by default the argument's name.
    unit : shown after each value, for example ``"steps"``.
    kind : ``"slider"``, ``"select"`` or ``"checkbox"``; by default a select for a list and a
        checkbox for ``[False, True]``.
    default : the value shown first; by default ``update``'s own default, else the first.
    artists : one artist of the figure for each value, in order; pointing at it, or moving the
        focus to it, sets that value.

    >>> Control([20, 50, 100], label="length", unit="steps").texts
    ('20 steps', '50 steps', '100 steps')
    """

    values: tuple[Value, ...]
    label: str = ""
    unit: str = ""
    kind: str = ""
    default: Value | None = None
    texts: tuple[str, ...] = ()
    name: str = ""
    artists: tuple[Artist, ...] = ()

    def __post_init__(self) -> None:
        options, texts = self.values, self.texts
        if isinstance(options, Mapping):
            texts, options = tuple(map(str, options)), tuple(options.values())
        elif isinstance(options, str) or not hasattr(options, "__iter__"):
            raise TypeError(f"values must be a list, tuple or dict, got {options!r}")
        values = tuple(v.item() if isinstance(v, np.generic) else v for v in options)
        if not values:
            raise ValueError("values is empty, expected at least one value")
        for value in values:
            if not isinstance(value, bool | int | float | str):
                raise TypeError(f"a value must be bool, int, float or str, got {value!r}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"a value must be finite, got {value!r}")
        if len(set(values)) < len(values):
            raise ValueError(f"values must differ from one another, got {values!r}")
        kind = self.kind or ("checkbox" if values == (False, True) else "select")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {self.kind!r}")
        if kind == "checkbox" and values != (False, True):
            raise ValueError(f"a checkbox needs the values [False, True], got {values!r}")
        unit = f" {self.unit}" if self.unit else ""
        texts = texts or tuple(text + unit for text in _texts(values))
        made = {"values": values, "kind": kind, "texts": texts, "artists": tuple(self.artists)}
        for field, value in made.items():
            object.__setattr__(self, field, value)
        if self.default is not None:
            self.index(self.default)

    @property
    def start(self) -> int:
        """The index shown first."""
        return 0 if self.default is None else self.index(self.default)

    def index(self, value: Any) -> int:
        """The index of ``value``; a number that is not in the list takes its nearest neighbor.

        So a control can be linked to an ordinary slider with steps of its own. Raises ValueError
        for text that is not in the list.
        """
        if value in self.values:
            return self.values.index(value)
        numbers = all(isinstance(v, int | float) for v in self.values) and self.kind != "checkbox"
        if (
            numbers
            and isinstance(value, int | float)
            and min(self.values) <= value <= max(self.values)
        ):
            return min(range(len(self.values)), key=lambda i: abs(self.values[i] - value))
        raise ValueError(
            f"got {value!r}, expected one of {', '.join(map(repr, self.values[:12]))}"
            f"{', …' if len(self.values) > 12 else ''}"
        )


def _texts(values: Sequence[Value]) -> list[str]:
    """The values as text, floats of one list with the same number of decimals."""
    floats = [v for v in values if isinstance(v, float)]
    decimals = max((-min(0, Decimal(repr(v)).as_tuple().exponent) for v in floats), default=0)
    if decimals > 6:
        return [f"{v:.3g}" if isinstance(v, float) else str(v) for v in values]
    return [f"{v:.{decimals}f}" if isinstance(v, float) else str(v) for v in values]


def states(controls: Sequence[Control]) -> Iterator[State]:
    """Every state, the last control fastest: state number s has the place s in this order."""
    return product(*(range(len(c.values)) for c in controls))


def values_at(controls: Sequence[Control], state: State) -> dict[str, Value]:
    """The arguments of ``update`` in a state."""
    return {c.name: c.values[i] for c, i in zip(controls, state, strict=True)}
