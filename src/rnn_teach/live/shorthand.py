"""How an author says what a reader can move: ipywidgets' shorthand, its own widgets, or a Control."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ipywidgets

from .controls import Control, Value


def parse(
    update: Callable[..., Any], specs: Mapping[str, Any]
) -> tuple[tuple[Control, ...], dict[str, Any]]:
    """The controls of ``update`` and the values of its arguments that are ``fixed``.

    Defaults come from the control or widget, else from ``update``'s signature, else they are the
    first values. Raises TypeError or ValueError, naming the control, for what is not a finite list.
    """
    fixed = {n: spec.value for n, spec in specs.items() if isinstance(spec, ipywidgets.fixed)}
    asked = {name: spec for name, spec in specs.items() if name not in fixed}
    if not asked:
        raise ValueError("got no control, expected at least one, e.g. gain=(0.5, 2.0, 0.05)")
    parameters = inspect.signature(update).parameters
    missing = [p for p in parameters if p not in specs]
    unknown = [c for c in specs if c not in parameters]
    if missing or unknown:
        raise TypeError(
            f"update takes {list(parameters)}, the controls are {list(specs)}; "
            f"without a control: {missing}, not an argument: {unknown}"
        )
    controls = []
    for name, spec in asked.items():
        try:
            control = _control(spec)
            default = control.default
            if default is None and parameters[name].default is not inspect.Parameter.empty:
                default = parameters[name].default
            if default is not None:
                default = control.values[control.index(default)]
        except (TypeError, ValueError) as error:
            raise type(error)(f"control {name!r}: {error}") from None
        label = control.label or name.replace("_", " ")
        controls.append(replace(control, name=name, label=label, default=default))
    return tuple(controls), fixed


def _control(spec: Any) -> Control:
    if isinstance(spec, Control):
        return spec
    if isinstance(spec, ipywidgets.Widget):
        return _from_widget(spec)
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
            raise ValueError(f"({low}, {high}) needs a step: (low, high, step)")
        if not all(map(math.isfinite, (low, high, step))) or step <= 0 or high <= low:
            raise ValueError(f"got {spec!r}, expected low < high and step > 0")
        return Control(_range(low, high, step), kind="slider")
    raise TypeError(
        f"got {spec!r}, expected (low, high, step), a list of values, a dict of texts and values, "
        "True or False, a Control, a slider, list or checkbox of ipywidgets, or fixed(value)"
    )


def _from_widget(widget: ipywidgets.Widget) -> Control:
    """The values a widget of ipywidgets offers: its options, its range, or yes and no."""
    value = getattr(widget, "value", None)
    asked: dict[str, Any] = {"label": getattr(widget, "description", ""), "default": value}
    if hasattr(widget, "options") and not isinstance(value, tuple):
        kind = "slider" if isinstance(widget, ipywidgets.SelectionSlider) else "select"
        texts, values = widget._options_labels, widget._options_values
        return Control(dict(zip(texts, values, strict=True)), kind=kind, **asked)
    if isinstance(value, bool):
        return Control((False, True), **asked)
    if isinstance(value, int | float) and hasattr(widget, "min"):
        values = _range(widget.min, widget.max, widget.step or 1)
        if isinstance(widget, ipywidgets.FloatLogSlider):
            values = tuple(widget.base**exponent for exponent in values)
        return Control(values, kind="slider", **asked)
    raise TypeError(
        f"got a {type(widget).__name__}, expected a widget of ipywidgets with one value out of "
        "finitely many: a slider, a dropdown, radio or toggle buttons, a checkbox"
    )


def _range(low: Value, high: Value, step: Value) -> tuple[Value, ...]:
    """low, low + step, … up to high, in decimal arithmetic: 0.1 steps give 0.3, not 0.30000000000000004."""
    first, last, width = (Decimal(repr(v)) for v in (low, high, step))
    count = int((last - first) / width) + 1
    number = int if all(isinstance(v, int) for v in (low, high, step)) else float
    return tuple(number(first + i * width) for i in range(count))
