"""What a reader can move: finite lists of values, from ipywidgets' shorthand, and the grid of states they span."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np

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

    def __post_init__(self) -> None:
        options, texts = self.values, self.texts
        if isinstance(options, Mapping):
            texts, options = tuple(map(str, options)), tuple(options.values())
        elif isinstance(options, str) or not hasattr(options, "__iter__"):
            raise TypeError(f"Control: values must be a list, tuple or dict, got {options!r}")
        values = tuple(v.item() if isinstance(v, np.generic) else v for v in options)
        if not values:
            raise ValueError("Control: values is empty, expected at least one value")
        for value in values:
            if not isinstance(value, bool | int | float | str):
                raise TypeError(f"Control: a value must be bool, int, float or str, got {value!r}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"Control: a value must be finite, got {value!r}")
        if len(set(values)) < len(values):
            raise ValueError(f"Control: values must differ from one another, got {values!r}")
        kind = self.kind or ("checkbox" if values == (False, True) else "select")
        if kind not in KINDS:
            raise ValueError(f"Control: kind must be one of {KINDS}, got {self.kind!r}")
        if kind == "checkbox" and values != (False, True):
            raise ValueError(f"Control: a checkbox needs the values [False, True], got {values!r}")
        unit = f" {self.unit}" if self.unit else ""
        texts = texts or tuple(text + unit for text in _texts(values))
        for field, value in {"values": values, "kind": kind, "texts": texts}.items():
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
            f"control {self.name or self.label!r}: got {value!r}, expected one of "
            f"{', '.join(map(repr, self.values[:12]))}{', …' if len(self.values) > 12 else ''}"
        )


def _texts(values: Sequence[Value]) -> list[str]:
    """The values as text, floats of one list with the same number of decimals."""
    floats = [v for v in values if isinstance(v, float)]
    decimals = max((-min(0, Decimal(repr(v)).as_tuple().exponent) for v in floats), default=0)
    if decimals > 6:
        return [f"{v:.3g}" if isinstance(v, float) else str(v) for v in values]
    return [f"{v:.{decimals}f}" if isinstance(v, float) else str(v) for v in values]


def _range(low: Value, high: Value, step: Value) -> tuple[Value, ...]:
    """low, low + step, … up to high, in decimal arithmetic: 0.1 steps give 0.3, not 0.30000000000000004."""
    first, last, width = (Decimal(repr(v)) for v in (low, high, step))
    count = int((last - first) / width) + 1
    number = int if all(isinstance(v, int) for v in (low, high, step)) else float
    return tuple(number(first + i * width) for i in range(count))


def _from_shorthand(name: str, spec: Any) -> Control:
    if isinstance(spec, Control):
        return spec
    if isinstance(spec, bool):
        return Control((False, True), default=spec)
    if isinstance(spec, list | dict) and spec:
        pairs = isinstance(spec, list) and all(isinstance(s, tuple) and len(s) == 2 for s in spec)
        return Control(dict(spec) if pairs else spec)
    numbers = isinstance(spec, tuple) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in spec
    )
    if numbers and len(spec) in (2, 3):
        low, high, step = spec if len(spec) == 3 else (*spec, 1)
        if len(spec) == 2 and not (isinstance(low, int) and isinstance(high, int)):
            raise ValueError(f"control {name!r}: ({low}, {high}) needs a step: (low, high, step)")
        if not all(map(math.isfinite, (low, high, step))) or step <= 0 or high <= low:
            raise ValueError(f"control {name!r}: got {spec!r}, expected low < high and step > 0")
        return Control(_range(low, high, step), kind="slider")
    raise TypeError(
        f"control {name!r}: got {spec!r}, expected (low, high, step), a list of values, "
        "a dict of texts and values, True or False, or a Control"
    )


def parse(update: Callable[..., str], specs: Mapping[str, Any]) -> tuple[Control, ...]:
    """The controls of ``update``, from ipywidgets' shorthand; defaults come from its signature."""
    if not specs:
        raise ValueError(
            "interact: got no control, expected at least one, e.g. gain=(0.5, 2.0, 0.05)"
        )
    parameters = inspect.signature(update).parameters
    missing = [p for p in parameters if p not in specs]
    unknown = [c for c in specs if c not in parameters]
    if missing or unknown:
        raise TypeError(
            f"interact: update takes {list(parameters)}, the controls are {list(specs)}; "
            f"without a control: {missing}, not an argument: {unknown}"
        )
    controls = []
    for name, spec in specs.items():
        control = _from_shorthand(name, spec)
        default = control.default
        if default is None and parameters[name].default is not inspect.Parameter.empty:
            default = parameters[name].default
        label = control.label or name.replace("_", " ")
        control = Control(
            control.values, label, control.unit, control.kind, None, control.texts, name
        )
        if default is not None:
            default = control.values[control.index(default)]
        controls.append(
            Control(control.values, label, control.unit, control.kind, default, control.texts, name)
        )
    return tuple(controls)


def states(controls: Sequence[Control]) -> Iterator[State]:
    """Every state, the last control fastest: state number s has the place s in this order."""
    return product(*(range(len(c.values)) for c in controls))


def values_at(controls: Sequence[Control], state: State) -> dict[str, Value]:
    """The arguments of ``update`` in a state."""
    return {c.name: c.values[i] for c, i in zip(controls, state, strict=True)}
