"""What a reader can move: values from shorthand, from a Control, from ipywidgets' own widgets."""

import inspect

import ipywidgets as w
import numpy as np
import pytest

from rnn_teach.live import Control
from rnn_teach.live.controls import states, values_at
from rnn_teach.live.shorthand import parse


def controls_of(**specs):
    def update(**kwargs): ...

    update.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in specs]
    )
    return parse(update, specs)[0]


def test_range_is_decimal_and_includes_the_end():
    (gain,) = controls_of(gain=(0.1, 0.5, 0.1))
    assert gain.values == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert gain.texts == ("0.1", "0.2", "0.3", "0.4", "0.5")
    assert gain.kind == "slider"


def test_shorthand_as_ipywidgets_has_it():
    length, cell, on, named = controls_of(
        length=(3, 6), cell=["RNN", "GRU"], on=True, named={"ten": 10, "two": 2}
    )
    assert length.values == (3, 4, 5, 6)
    assert (cell.kind, cell.start) == ("select", 0)
    assert (on.kind, on.values, on.start) == ("checkbox", (False, True), 1)
    assert (named.values, named.texts) == ((10, 2), ("ten", "two"))


def test_states_number_themselves_with_the_last_control_fastest():
    controls = controls_of(a=(0, 2, 1), b=["x", "y"])
    grid = list(states(controls))
    assert grid == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert values_at(controls, grid[3]) == {"a": 1, "b": "y"}


def test_a_number_between_two_values_takes_the_nearer():
    control = Control([0.5, 1.0, 2.0])
    assert [control.index(v) for v in (0.5, 0.8, 1.4, 2)] == [0, 1, 1, 2]
    with pytest.raises(ValueError, match=r"got 2.5, expected one of 0.5, 1.0, 2.0"):
        control.index(2.5)


def test_numpy_numbers_become_plain_ones():
    assert [type(v) for v in Control(np.array([1, 2])).values] == [int, int]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ((0.5, 2.0), "needs a step"),
        ((2.0, 0.5, 0.1), "expected low < high and step > 0"),
        ((0, 5, 0), "expected low < high and step > 0"),
        ([], "expected"),
        ("RNN", "expected"),
        ([1, 1], "must differ"),
        ([[1], [2]], "must be bool, int, float or str"),
        ([float("nan")], "finite"),
        (3.5, "expected"),
        (w.IntRangeSlider(), "got a IntRangeSlider, expected a widget of ipywidgets with one"),
        (w.SelectMultiple(options=[1, 2]), "got a SelectMultiple"),
        (w.Text("a"), "got a Text"),
    ],
)
def test_what_is_not_a_finite_list_is_an_error(spec, message):
    with pytest.raises((TypeError, ValueError), match=f"control 'gain': .*{message}"):
        controls_of(gain=spec)


@pytest.mark.parametrize(
    ("widget", "kind", "values", "start"),
    [
        (w.IntSlider(min=2, max=8, step=3, value=5), "slider", (2, 5, 8), 5),
        (w.FloatSlider(min=0.1, max=0.4, step=0.1, value=0.3), "slider", (0.1, 0.2, 0.3, 0.4), 0.3),
        (w.FloatLogSlider(min=-1, max=1, step=1, value=10), "slider", (0.1, 1.0, 10.0), 10.0),
        (w.BoundedIntText(min=1, max=3, value=2), "slider", (1, 2, 3), 2),
        (w.SelectionSlider(options=["a", "b"], value="b"), "slider", ("a", "b"), "b"),
        (w.Dropdown(options=[("one", 1), ("two", 2)], value=2), "select", (1, 2), 2),
        (w.RadioButtons(options=["RNN", "GRU"], value="GRU"), "select", ("RNN", "GRU"), "GRU"),
        (w.ToggleButtons(options=["a", "b"]), "select", ("a", "b"), "a"),
        (w.Select(options=["a", "b"], value="b"), "select", ("a", "b"), "b"),
        (w.Checkbox(True), "checkbox", (False, True), True),
        (w.ToggleButton(False), "checkbox", (False, True), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_widgets_of_ipywidgets_become_controls(widget, kind, values, start):
    (control,) = controls_of(gain=widget)
    assert (control.kind, control.values, control.default) == (kind, values, start)
    assert control.label == "gain"


def test_a_widget_brings_its_words():
    gain, cell = controls_of(
        gain=w.IntSlider(2, 1, 3, description="how much"),
        cell=w.Dropdown(options=[("long name", 1), ("short", 2)]),
    )
    assert gain.label == "how much"
    assert cell.texts == ("long name", "short")


def test_what_is_fixed_is_handed_on_and_no_control():
    controls, fixed = parse(lambda a, b, c=1: "", {"a": [1, 2], "b": w.fixed("x"), "c": (0, 1)})
    assert [c.name for c in controls] == ["a", "c"]
    assert fixed == {"b": "x"}
    with pytest.raises(ValueError, match="got no control"):
        parse(lambda b: "", {"b": w.fixed(1)})
