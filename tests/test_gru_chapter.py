"""Chapter 10's numbers and figures: one step by hand, the two GRUs, and other programs' layouts."""

import inspect
import re
from itertools import product
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from rnn_teach import GRU, convert, plots
from rnn_teach.figures import gru, layouts

PAGE = Path(__file__).parents[1] / "notebooks" / "10_gru.ipynb"
BUILDS = list(product(("after", "before"), ("keeps", "takes")))


def rng(seed: int = 4) -> np.random.Generator:
    return np.random.default_rng(seed)


def page() -> str:
    return "\n".join(cell.source for cell in nbformat.read(PAGE, 4).cells)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# One step


def by_hand(x, reset, sign):
    """The step on the blackboard, with two candidates that each hear the other unit."""
    h1, h2 = 0.8, -0.6
    r = sigmoid(3 * x + 0.5 * h1), sigmoid(-3 * x + 0.5 * h2)
    z = sigmoid(-2 * x + 0.5 * h1), sigmoid(2 * x + 0.5 * h2)
    heard = (r[0], r[1]) if reset == "after" else (r[1], r[0])  # ear plugs or a gag
    heard = heard[0] * 1.5 * h2, heard[1] * 1.5 * h1
    n = np.tanh(0.5 * x + heard[0]), np.tanh(0.5 * x + heard[1])
    kept = z if sign == "keeps" else (1 - z[0], 1 - z[1])
    h = [k * old + (1 - k) * new for k, old, new in zip(kept, (h1, h2), n, strict=True)]
    return {"r": r, "z": z, "heard": heard, "n": n, "hₜ": h}


@pytest.mark.parametrize("reset, sign", BUILDS)
@pytest.mark.parametrize("x", [-2.0, -0.25, 0.0, 1.5])
def test_every_number_of_a_step_is_the_one_on_the_blackboard(x, reset, sign):
    step = gru.one_step(x, reset, sign)
    for name, expected in by_hand(x, reset, sign).items():
        np.testing.assert_allclose(step[name], expected, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(step["z"] + step["1 − z"], 1)
    np.testing.assert_allclose(step["kept"] + step["new"], step["hₜ"])


def test_turned_is_one_minus_z_and_nothing_else():
    layer = layouts.layer(1.5)
    layer.b[:] = rng().normal(size=layer.b.shape)
    layer.b_hn[:] = rng().normal(size=layer.b_hn.shape)
    x = layouts.inputs()[:1]
    ours, theirs = layer.forward(x), gru.turned(layer).forward(x)
    np.testing.assert_allclose(theirs.z, 1 - ours.z)
    np.testing.assert_array_equal(theirs.r, ours.r)
    np.testing.assert_array_equal(theirs.n, ours.n)


@pytest.mark.parametrize("reset, sign", BUILDS)
def test_the_diagram_shows_the_numbers_beside_their_wires(reset, sign):
    figure = gru.gru_steps()
    figure.value = {"x": -1.25, "reset": reset, "sign": sign}
    step = gru.one_step(-1.25, reset, sign)
    (ax,) = figure._drawing.fig.axes
    said = {text.get_position(): text.get_text() for text in ax.texts}
    up, beside = ("z", "1 − z") if sign == "keeps" else ("1 − z", "z")
    for place, name in {**dict.fromkeys(gru.NUMBERS), "z": up, "1 − z": beside}.items():
        name = name or place
        assert said[gru.NUMBERS[place]] == f"{name}\n{gru.pair(step[name])}"
    # what stands on z's way up to the belt is what multiplies the old state
    shown = np.array(said[gru.NUMBERS["z"]].replace("−", "-").split()[-2:], float)
    np.testing.assert_allclose(shown * gru.H_PREV, step["kept"], atol=0.005)
    assert f"the new state is {gru.pair(step['hₜ'], ' and ')}" in repr(figure)
    lit = [
        (wires.get_segments()[0], wires.get_visible())
        for wires in ax.collections
        if hasattr(wires, "get_segments") and to_hex(wires.get_edgecolor()[0]) == plots.GRU
    ]
    assert [visible for _, visible in lit] == [reset == "before", reset == "after"]


def test_the_null_is_the_default_build_in_every_state():
    figure = gru.gru_steps()
    ours = gru.pair(gru.one_step(0.5)["hₜ"])
    for reset, sign in BUILDS:
        figure.value = {"x": 0.5, "reset": reset, "sign": sign}
        said = [text.get_text() for text in figure._drawing.fig.axes[0].texts]
        assert f"after, z keeps: hₜ {ours}" in said
        assert ("the same weights with" in repr(figure)) == ((reset, sign) != ("after", "keeps"))


# The two GRUs


@pytest.fixture(scope="module")
def layer():
    """A GRU in which no parameter is zero."""
    cell = GRU(4, 5, rng=rng())
    cell.b[:] = rng(1).normal(size=15)
    cell.b_hn[:] = rng(2).normal(size=5)
    return cell


def test_elsewhere_is_what_each_layout_computes(layer):
    x = rng(3).normal(size=(7, 3, 4))
    ours = layer.forward(x).h
    W, R, W_b, R_b = convert.to_torch(layer).values()
    np.testing.assert_allclose(layouts.elsewhere("rzn", W.T, R.T, W_b, R_b, x), ours, atol=1e-13)
    W, R, biases = convert.to_keras(layer)
    np.testing.assert_allclose(layouts.elsewhere("zrn", W, R, *biases, x), ours, atol=1e-13)
    inputs = convert.to_onnx(layer)[1]
    W, R, B = (inputs[name][0] for name in "WRB")
    there = layouts.elsewhere("zrn", W.T, R.T, *np.split(B, 2), x)
    np.testing.assert_allclose(there, ours, atol=1e-13)


def test_elsewhere_is_pytorchs_own_gru():
    torch.manual_seed(0)
    module = torch.nn.GRU(4, 5).double()  # with its own random weights and both biases
    W, R, W_b, R_b = (p.detach().numpy() for p in module.parameters())
    x = rng(3).normal(size=(7, 3, 4))
    expected = module(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(
        layouts.elsewhere("rzn", W.T, R.T, W_b, R_b, x), expected, atol=1e-12
    )


def test_the_place_of_the_reset_matters_more_the_larger_the_weights():
    drift = [layouts.apart(layouts.RESET, scale) for scale in layouts.SCALES]
    assert drift[0] == 0 and np.all(np.diff(drift) > 0) and drift[-1] > 0.8
    assert drift[2] < 0.1, "small enough to be overlooked"


@pytest.mark.parametrize("scale", layouts.SCALES)
def test_open_resets_and_a_turned_sign_are_the_same_gru(scale):
    assert layouts.apart(layouts.ONES, scale) < 1e-12
    assert layouts.apart(layouts.TURNED, scale) < 1e-12
    assert layouts.apart(layouts.SIGN, scale) > 0.5


def test_a_reset_gate_equal_in_all_units_may_stand_anywhere():
    after, before = layouts.layer(2.0), layouts.layer(2.0, reset="before")
    for cell in (after, before):
        cell.W_x[:, : layouts.H] = cell.W_h[:, : layouts.H] = 0
        cell.b[: layouts.H] = -1.0
    h = after.forward(layouts.inputs()).h
    np.testing.assert_allclose(before.forward(layouts.inputs()).h, h, atol=1e-13)
    before.b[0] = after.b[0] = 1.0  # one unit of sixteen
    assert (
        np.abs(before.forward(layouts.inputs()).h - after.forward(layouts.inputs()).h).max() > 0.1
    )


@pytest.mark.parametrize("pair", layouts.PAIRS)
def test_the_figure_draws_both_and_their_distance(pair):
    figure = layouts.two_grus()
    figure.value = {"scale": 2.0, "pair": pair}
    ours, theirs = layouts.two_states(pair, 2.0)
    top, bottom = figure._drawing.fig.axes
    np.testing.assert_array_equal(top.lines[0].get_ydata(), ours[:, 0, 0])
    np.testing.assert_array_equal(top.lines[1].get_ydata(), theirs[:, 0, 0])
    difference = np.sqrt(((ours - theirs) ** 2).mean()) / np.sqrt((ours**2).mean())
    dot = bottom.lines[-1]
    assert dot.get_ydata()[0] == pytest.approx(difference, abs=1e-15)
    assert dot.get_color() == top.lines[1].get_color() == layouts.COLORS[pair]
    bold = [text.get_text() for text in bottom.texts if text.get_weight() == "bold"]
    assert len(bold) == 1 and bold[0].startswith(pair)


def test_the_null_is_the_distance_of_other_sequences():
    h = layouts.layer(1.0).forward(layouts.inputs()).h
    squares = [((h[:, n] - h[:, n - 1]) ** 2).sum() for n in range(layouts.N)]
    assert layouts.unrelated(1.0) == pytest.approx(np.sqrt(sum(squares) / (h**2).sum()))
    assert layouts.unrelated(1.0) > layouts.apart(layouts.RESET, 1.0)


# The page


def marked(text: str, obj: object, start: str) -> list[str]:
    """The lines that the page marks in the code it shows of ``obj`` from the line ``start`` on."""
    shown = inspect.getsource(obj)
    shown = shown[shown.index(start) :].splitlines()
    places = re.search(r":emphasize-lines: ([\d, ]+)", text.split(start, 1)[1]).group(1)
    return [shown[int(place) - 1] for place in places.split(",")]


def test_the_marked_lines_are_the_ones_the_prose_speaks_of():
    candidate, state = marked(page(), GRU.forward, "h_prev = h[0]")
    assert "if after else" in candidate and "out=h_t" in state
    candidate, state = marked(page(), layouts.elsewhere, "h, states = np.zeros")
    assert "np.tanh" in candidate and "if takes else" in state


def test_the_table_of_programs_agrees_with_convert():
    rows = {row.split("|")[1].strip(): row for row in page().splitlines() if row.startswith("| ")}
    after, before = GRU(2, 3, rng=rng()), GRU(2, 3, rng=rng(), reset="before")
    assert "after | keeps | r z n | 2" in rows["PyTorch `nn.GRU`, cuDNN"]
    with pytest.raises(ValueError, match="resets after the product"):
        convert.to_torch(before)
    assert "after | keeps | z r h | 2" in rows["Keras `GRU`, as it comes"]
    assert [a.shape for a in convert.to_keras(after)][2] == (2, 9)
    assert "before | keeps | z r h | 1" in rows["Keras, `reset_after=False`"]
    assert [a.shape for a in convert.to_keras(before)][2] == (9,)
    assert "before | keeps | z r h | 2" in rows["ONNX `GRU`, as it comes"]
    inputs = convert.to_onnx(before)[1]
    assert convert.from_onnx("GRU", inputs, {})[0].reset == "before", "the default of ONNX"
    assert "after | keeps | z r h | 2" in rows["ONNX, `linear_before_reset=1`"]
    assert convert.to_onnx(after)[2]["linear_before_reset"] == 1
