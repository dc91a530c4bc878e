"""Chapter 08's numbers and figures against LSTMs stepped by hand."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnn_teach import checks, plots
from rnn_teach.cells import LSTM
from rnn_teach.figures import carousel, lstm, misprints, vanishing
from rnn_teach.live.controls import states

NOTEBOOK = Path(__file__).parents[1].joinpath("notebooks", "08_lstm.ipynb").read_text("utf-8")
PAGE = "\n".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK)["cells"])
SOME = [(1.0, 1.0, 0.5), (-2.0, -2.0, 0.5), (2.0, -2.0, -1.0), (0.0, 0.25, 1.0)]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand(x, c, h, b_i=-2.0, b_g=0.0):
    """The numbers of one step with the weights that the page prints."""
    i, f, o = (sigmoid(a) for a in (3 * x + 0.5 * h + b_i, -2 * x + h + 3, x + h))
    g = np.tanh(x + 0.5 * h + b_g)
    new = f * c + i * g
    given = {"xₜ": x, "hₜ₋₁": h, "cₜ₋₁": c, "i": i, "f": f, "g": g, "o": o}
    belt = {"f·cₜ₋₁": f * c, "i·g": i * g, "cₜ": new, "tanh cₜ": np.tanh(new)}
    return given | belt | {"hₜ": o * np.tanh(new)}


@pytest.mark.parametrize("x, c, h", SOME)
def test_a_step_is_that_of_the_equations(x, c, h):
    n = lstm.one_step(x, c, h)
    expected = by_hand(x, c, h)
    assert n.keys() == expected.keys()
    for name, value in expected.items():
        assert n[name] == pytest.approx(value, abs=1e-12), name
    heard = lstm.sums(x, h)
    for gate in "ifo":
        assert sigmoid(heard[gate]) == pytest.approx(n[gate], abs=1e-12)
    assert np.tanh(heard["g"]) == pytest.approx(n["g"], abs=1e-12)


def test_the_page_prints_the_weights_of_the_cell():
    for gate, weights in lstm.HEARS.items():
        row = next(
            line for line in PAGE.splitlines() if line.startswith("| ") and f"${gate}$" in line
        )
        numbers = [float(entry.replace("−", "-")) for entry in row.split(" | ")[1:4]]
        assert numbers == list(weights), gate
    layer = lstm.cell()
    printed = np.array(list(lstm.HEARS.values())).T
    np.testing.assert_array_equal(np.vstack([layer.W_x, layer.W_h, layer.b]), printed)


def four_steps(**value):
    figure = lstm.four_steps()
    figure.value = value
    [ax] = figure._drawing.fig.axes
    return figure, ax


@pytest.mark.parametrize("step", lstm.STEPS)
@pytest.mark.parametrize("x, c", [(1.0, 1.0), (-2.0, -2.0), (2.0, -1.5)])
def test_every_wire_has_its_number(step, x, c):
    figure, ax = four_steps(step=step, x=x, c=c)
    expected = by_hand(x, c, 0.5)
    shown = dict(
        text.get_text().rsplit(" ", 1) for text in ax.texts if re.search(r"\d$", text.get_text())
    )
    assert shown == {name: plots.number(value) for name, value in expected.items()}
    for number in re.findall(r"−?\d\.\d\d", figure._picture["sentence"]):
        assert number in shown.values()
    (table,) = figure._tables
    listed = dict(table["rows"])
    for name, value in expected.items():
        assert listed[name] == pytest.approx(value, rel=1e-3, abs=1e-9), name


LIT = {
    "forget": {"cₜ₋₁", "f", "f·cₜ₋₁", "hₜ₋₁", "xₜ"},
    "store": {"i", "g", "i·g", "hₜ₋₁", "xₜ"},
    "update": {"f·cₜ₋₁", "i·g", "cₜ"},
    "output": {"cₜ", "tanh cₜ", "o", "hₜ", "hₜ₋₁", "xₜ"},
}


@pytest.mark.parametrize("step", lstm.STEPS)
def test_a_step_lights_what_works_and_moves_nothing(step):
    _, ax = four_steps(step=step)
    bold = {t.get_text().rsplit(" ", 1)[0] for t in ax.texts if t.get_weight() == "bold"}
    assert bold == LIT[step]
    wide = [c for c in ax.collections if c.get_linewidth()[0] == 2.5]
    assert len(wide) == (1 if step == "update" else 2), "its wires, and the one from x"
    _, other = four_steps(step="forget")
    places = [[text.get_position() for text in axes.texts] for axes in (ax, other)]
    assert places[0] == places[1]


@pytest.mark.parametrize("x, c", [(1.0, 1.0), (2.0, -2.0), (-2.0, 0.0)])
def test_the_belt_is_as_thick_as_its_number_and_the_boxes_as_full(x, c):
    _, ax = four_steps(x=x, c=c)
    n = by_hand(x, c, 0.5)
    rectangles = [p for p in ax.patches if type(p).__name__ == "Rectangle"]
    pipe, *belts = rectangles[:4]
    fills = rectangles[4:]
    for belt, name in zip(belts, ("cₜ₋₁", "f·cₜ₋₁", "cₜ"), strict=True):
        assert belt.get_height() / pipe.get_height() == pytest.approx(abs(n[name]) / 3, abs=1e-9)
        assert belt.get_y() + belt.get_height() / 2 == pytest.approx(lstm.BELT)
        assert to_hex(belt.get_facecolor()) == (plots.LSTM if n[name] >= 0 else plots.RNN)
    for fill, gate in zip(fills, "figo", strict=True):
        full = lstm.TALL / 2 if gate == "g" else lstm.TALL
        assert fill.get_height() / full == pytest.approx(n[gate], abs=1e-9)


def test_the_null_is_the_belt_of_a_cell_that_does_nothing():
    _, ax = four_steps(c=-1.5)
    [dotted] = [c for c in ax.collections if c.get_linestyle() != [(0.0, None)]]
    heights = [segment[:, 1] - lstm.BELT for segment in dotted.get_segments()]
    np.testing.assert_allclose(np.abs(heights), lstm.THICK * 1.5 / 2)


def test_no_belt_is_thicker_than_its_pipe():
    grid = np.array([[x, c] for x in lstm._grid(lstm.X) for c in lstm._grid(lstm.C)])
    assert len(grid) == 17 * 17 and grid.min() == -2 and grid.max() == 2
    assert max(abs(by_hand(x, c, 0.5)["cₜ"]) for x, c in grid) < lstm.FULL


def test_the_figures_keep_their_budget_of_states():
    for figure in (lstm.four_steps(), lstm.gates(), carousel.carousel(), misprints.misprints()):
        assert len(figure._controls) <= 3
        assert len(list(states(figure._controls))) <= 2000


@pytest.mark.parametrize("x, h", [(1.0, 0.5), (-2.0, 1.0), (2.0, -1.0)])
def test_the_dots_are_on_their_curves_where_the_sums_are(x, h):
    figure = lstm.gates()
    figure.value = {"x": x, "h": h}
    n, heard = by_hand(x, 0.0, h), lstm.sums(x, h)
    for ax, gate in zip(figure._drawing.fig.axes, "figo", strict=True):
        null, dot = (line.get_xydata()[0] for line in ax.lines[1:])
        np.testing.assert_allclose(dot, [heard[gate], n[gate]])
        np.testing.assert_allclose(null, [0, 0 if gate == "g" else 0.5])
        assert ax.viewLim.x0 < heard[gate] < ax.viewLim.x1
        said = f"a = {plots.number(heard[gate])}\n{gate} = {plots.number(n[gate])}"
        assert ax.texts[-1].get_text() == said
    for gate in "figo":
        assert plots.number(n[gate]) in figure._picture["sentence"]


def test_the_two_figures_of_a_step_move_together():
    diagram, curves = lstm.four_steps(), lstm.gates()
    curves.x = -1.5
    assert diagram.x == -1.5
    diagram.x = 0.75
    assert curves.x == 0.75


@pytest.mark.parametrize("f", carousel.F)
def test_along_the_cell_state_it_is_f_to_the_k(f):
    along = carousel.blame(f, 100).along
    np.testing.assert_allclose(along, np.tile(f ** np.arange(100.0)[:, None], vanishing.N), 1e-9)


def test_with_the_gate_at_1_it_is_exactly_1_while_the_cell_stores():
    assert np.all(carousel.blame(1.0, 100).along == 1)
    trace = carousel.cell(1.0).forward(vanishing.sequences(100))
    assert np.all(trace.f == 1) and np.abs(np.diff(trace.c, axis=0)).mean() > 0.1


@pytest.mark.parametrize("f", [0.8, 1.0])
def test_all_ways_are_those_of_moving_the_cell_state(f):
    layer, x = carousel.cell(f), vanishing.sequences(20)[:, :1]
    trace, t, eps = layer.forward(x), 5, 1e-6
    v = np.random.default_rng(8).standard_normal((vanishing.N, carousel.H))[0]

    def end(move):
        state = trace.h[t - 1], trace.c[t - 1] + move
        return float(layer.forward(x[t:], state).c[-1, 0] @ v)

    # the derivative by every unit of c_5: first directly, then also through h_5 = o tanh(c_5)
    slope = []
    for unit in np.eye(carousel.H):
        h = trace.o[t - 1] * np.tanh(trace.c[t - 1] + eps * unit)
        ahead = layer.forward(x[t:], (h, trace.c[t - 1] + eps * unit)).c[-1, 0] @ v
        slope.append((ahead - end(0)) / eps)
    measured = carousel.blame(f, 20).all[20 - t, 0] * np.linalg.norm(v)
    assert np.linalg.norm(slope) == pytest.approx(measured, rel=1e-4)


@pytest.mark.parametrize("f, length", [(0.9, 50), (1.0, 100), (0.5, 20)])
def test_the_carousel_draws_what_is_measured(f, length):
    figure = carousel.carousel()
    figure.value = {"f": f, "length": length}
    lines = {line.get_label(): line.get_xydata() for line in figure._drawing.fig.axes[0].lines}
    ways = carousel.blame(f, length)
    tanh = vanishing.gradient_at_lags(f, length, "tanh")
    expected = {"along c": ways.along, "by all ways": ways.all, "tanh layer": tanh}
    for name, norms in expected.items():
        lag, left = lines[name].T
        assert lag[0] == 0 and lag[-1] == length - 1
        np.testing.assert_allclose(left, np.median(norms, axis=1)[lag.astype(int)])
    np.testing.assert_allclose(lines["theory fᵏ"][:, 1], lines["along c"][:, 1], rtol=1e-9)
    assert ("exactly 1" in figure._picture["sentence"]) == (f == 1)


def run_by_hand(misprint, b_i, inputs):
    """(c, h) after every step with a misprint, by the printed equation."""
    h = c = 0.0
    out = []
    for x in inputs:
        n = by_hand(x, c, h, b_i, b_i if misprint == "b_i_twice" else 0.0)
        c = n["cₜ"]
        h = n["o"] * c if misprint == "no_tanh" else n["hₜ"]
        out.append((c, h))
    return np.array(out).T


@pytest.mark.parametrize("inputs", misprints.INPUTS)
@pytest.mark.parametrize("misprint", misprints.EQUATIONS)
def test_both_lines_are_those_of_the_equations(misprint, inputs):
    for b_i in (-2.0, 0.0, 1.5):
        right, wrong = misprints.both(misprint, b_i, inputs)
        x = misprints.INPUTS[inputs]
        np.testing.assert_allclose(right, run_by_hand("", b_i, x), rtol=1e-9)
        np.testing.assert_allclose(wrong, run_by_hand(misprint, b_i, x), rtol=1e-9)


def test_the_check_names_both_misprints():
    no_tanh, twice = misprints.PRINTED.values()
    assert "tanh is missing: h = o tanh(c), not o c" in checks.lstm_step(no_tanh).message
    assert "b_i is used twice: g has a bias of its own" in checks.lstm_step(twice).message


def test_with_no_bias_the_second_misprint_cannot_be_seen():
    for inputs in misprints.INPUTS:
        right, wrong = misprints.both("b_i_twice", 0.0, inputs)
        np.testing.assert_allclose(wrong, right, atol=1e-12)


@pytest.mark.parametrize("misprint", misprints.EQUATIONS)
@pytest.mark.parametrize("b_i", [-4.0, 0.0, 2.0])
def test_the_lines_stay_in_the_picture_and_their_labels_apart(misprint, b_i):
    figure = misprints.misprints()
    for inputs in misprints.INPUTS:
        figure.value = {"misprint": misprint, "b_i": b_i, "inputs": inputs}
        shown = misprints.both(misprint, b_i, inputs)
        for row, ax in enumerate(figure._drawing.fig.axes[1:]):
            low, high = ax.get_ylim()
            for line, numbers, text in zip(ax.lines[1:], shown, ax.texts, strict=True):
                np.testing.assert_array_equal(line.get_ydata(), numbers[row])
                assert low < numbers[row].min() and numbers[row].max() < high - 0.5
                assert text.get_text() == plots.number(numbers[row, -1])
            one, other = (text.get_position()[1] for text in ax.texts)
            assert abs(one - other) >= 1.39 and max(one, other) < high


@pytest.mark.parametrize(
    "value, says",
    [
        ({"misprint": "no_tanh"}, "leaves the band: it reaches 9.75, and ends at 9.75"),
        ({"misprint": "no_tanh", "b_i": -4.0, "inputs": "single"}, "stays in the band"),
        ({"misprint": "b_i_twice"}, "the cell state ends at −1.48; the right one, with b_g = 0"),
        ({"misprint": "b_i_twice", "b_i": 0.0}, "changes nothing: the lines are one"),
    ],
)
def test_the_sentence_says_what_the_misprint_does(value, says):
    figure = misprints.misprints()
    figure.value = value
    assert says in figure._picture["sentence"]


LISTED = [  # a listing of the page: the function, from, to, its marked lines, what is in them
    (
        LSTM.forward,
        "# x_t W_x + b needs",
        "if peephole:",
        ["np.matmul(x", "+= b", "h_prev.dot(W_h"],
    ),
    (LSTM.forward, "np.multiply(f_t", "c_t += ", []),
    (LSTM.forward, "c_t += ", "if peephole:", []),
    (LSTM.forward, "np.tanh(c_t, out", "if mask is not None", []),
    (LSTM.backward, "# then the chain", "if mask is not None", ["dot(W_hT", "f_t, out=carried"]),
    (misprints.without_tanh, "def", None, ["sigmoid(a_o) * c\n"]),
    (misprints.with_b_i_twice, "def", None, ["b_f, b_i, b_o"]),
]


@pytest.mark.parametrize("function, start, end, marked", LISTED)
def test_the_page_marks_the_lines_that_matter(function, start, end, marked):
    source = inspect.getsource(function)
    shown = source[source.index(start) :]
    shown = shown[: shown.index(end)] if end else shown
    listings = [part.split("```")[0] for part in PAGE.split("```{literalinclude}")[1:]]
    named = [text for text in listings if f":pyobject: {function.__qualname__}\n" in text]
    [listing] = [text for text in named if not end or f':start-at: "{start}' in text]
    assert not end or f':end-before: "{end}' in listing
    found = re.search(r"emphasize-lines: ([\d, ]+)", listing)
    places = [int(place) for place in found.group(1).split(",")] if found else []
    lines = [f"{shown.splitlines()[place - 1]}\n" for place in places]
    assert len(lines) == len(marked)
    for line, part in zip(lines, marked, strict=True):
        assert part in line
