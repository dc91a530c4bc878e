"""Chapter 07's cliff against a neuron written by hand, and the figure against the numbers."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from rnn_teach import clipping, initializers, plots
from rnn_teach.cells.normalized import standardize
from rnn_teach.figures import remedies, taming

WAYS = [("none", 1.0), ("norm", 0.5), ("norm", 4.0), ("value", 1.0), ("value", 4.0)]


@pytest.fixture(scope="module")
def figure():
    return taming.loss_cliff()


def loss(w, b):
    """(h_20 - 0.5)², one line after the other; w and b may be complex."""
    h = 0.0
    for _ in range(20):
        h = np.tanh(w * h + b)
    return (h - 0.5) ** 2


@pytest.mark.parametrize("w, b", [(1.6, -0.4), (1.2, -1e-3), (2.0, 0.3), (0.5, 0.1), (-1.5, 0.2)])
def test_the_gradient_is_that_of_the_loss(w, b):
    value, grads = taming.loss_and_gradient(w, b)
    assert value == pytest.approx(loss(w, b), rel=1e-12)
    assert grads["w"].item() == pytest.approx(loss(w + 1e-30j, b).imag / 1e-30, rel=1e-10)
    assert grads["b"].item() == pytest.approx(loss(w, b + 1e-30j).imag / 1e-30, rel=1e-10)


@pytest.mark.parametrize("w", [0.8, 1.2, 1.6, 2.0])
def test_on_the_edge_the_slope_is_a_geometric_sum(w):
    _, grads = taming.loss_and_gradient(w, 0.0)
    assert grads["b"].item() == pytest.approx(-sum(w**j for j in range(20)), rel=1e-12)
    assert grads["w"].item() == 0


def test_the_surface_is_the_loss_at_each_pair():
    w, b = np.array([0.5, 1.2, 2.0]), np.array([-0.4, 0.0, 0.01, 0.7])
    expected = [[loss(at_w, at_b) for at_w in w] for at_b in b]
    np.testing.assert_allclose(taming.surface(w, b), expected, rtol=1e-9)


@pytest.mark.parametrize("w, fall", [(0.8, (0, 0.02)), (1.2, (0.3, 0.4)), (2.0, (1.9, 2))])
def test_the_loss_falls_off_a_cliff_where_w_is_above_1(w, fall):
    assert fall[0] < taming.cliff_height(w) < fall[1]
    assert taming.cliff_height(w) == pytest.approx(loss(w, -1e-3) - loss(w, 1e-3), rel=1e-9)


@pytest.mark.parametrize("clipping, threshold", WAYS)
def test_every_update_goes_down_the_clipped_gradient(clipping, threshold):
    run = taming.descent(clipping, threshold)
    np.testing.assert_array_equal(run.place[0], [1.6, -0.4])
    np.testing.assert_allclose(run.place[1:], run.place[:-1] - 0.05 * run.used[:-1], rtol=1e-12)
    for k in (0, 10, 15, 16, 40):
        value, grads = taming.loss_and_gradient(*run.place[k])
        assert run.loss[k] == value
        g = np.array([grads["w"].item(), grads["b"].item()])
        np.testing.assert_array_equal(run.raw[k], g)
        used = {
            "none": g,
            "norm": g * min(1, threshold / np.hypot(*g)),
            "value": np.minimum(np.maximum(g, -threshold), threshold),
        }[clipping]
        np.testing.assert_allclose(run.used[k], used, rtol=1e-12)


def test_without_clipping_it_is_thrown_away_and_never_comes_back():
    run = taming.descent("none")
    assert run.length.argmax() == 15 and run.length[15] == pytest.approx(202.4, abs=0.1)
    assert run.place[16, 1] > 10
    assert np.ptp(run.place[16:], axis=0).max() < 1e-6 and run.loss[-1] > 0.24


def test_only_clipping_by_value_turns_the_direction():
    for threshold in taming.THRESHOLDS:
        by_norm, by_value = (taming.descent(how, threshold) for how in ("norm", "value"))
        assert by_norm.turned.max() < 1e-5
        assert by_value.turned.max() > 5
        assert np.linalg.norm(by_norm.used, axis=1).max() <= threshold * (1 + 1e-12)
        assert np.abs(by_value.used).max() <= threshold
    a, b = taming.descent("value", 4.0).raw[15]
    turned = np.degrees(np.arctan2(abs(b), abs(a)) - np.arctan2(4, min(abs(a), 4)))
    assert taming.descent("value", 4.0).turned[15] == pytest.approx(turned)


def test_the_angle_is_that_between_the_vectors():
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 50, 7))
    cosine = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
    np.testing.assert_allclose(np.cos(np.radians(taming.angle(u, v))), cosine, atol=1e-12)
    tiny = np.array([1.0, 1e-9])  # the arc cosine would say 0
    assert taming.angle(np.array([1.0, 0.0]), tiny) == pytest.approx(np.degrees(1e-9))
    grads = {"a": np.arange(4.0).reshape(2, 2), "b": np.array([9.0])}
    np.testing.assert_array_equal(taming.as_vector(grads), [0, 1, 2, 3, 9])


@pytest.mark.parametrize("clipping, threshold", WAYS)
@pytest.mark.parametrize("updates", [0, 15, 16, 40])
def test_the_figure_draws_the_descent(figure, clipping, threshold, updates):
    figure.clipping, figure.threshold, figure.updates = clipping, threshold, updates
    ground, losses, step = figure._drawing.fig.axes
    run, free = taming.descent(clipping, threshold), taming.descent("none")
    null, path, here = ground.get_lines()
    np.testing.assert_array_equal(null.get_xydata(), free.place)  # the null: always, and whole
    np.testing.assert_array_equal(path.get_xydata()[: updates + 1], run.place[: updates + 1])
    assert np.all(path.get_xydata()[updates:] == run.place[updates])
    np.testing.assert_array_equal(here.get_xydata(), run.place[[updates]])
    w, b = run.place[updates]
    assert here.get_visible() == (0.4 <= w <= 2.2 and -0.5 <= b <= 0.9)
    null, mine, dot = losses.get_lines()
    np.testing.assert_array_equal(null.get_ydata(), free.loss)
    np.testing.assert_array_equal(mine.get_ydata()[: updates + 1], run.loss[: updates + 1])
    np.testing.assert_array_equal(dot.get_xydata(), [(updates, run.loss[updates])])
    raw, used = (line.get_xydata()[1] for line in step.get_lines())
    for drawn, gradient in ((raw, run.raw[updates]), (used, run.used[updates])):
        wanted = -gradient / threshold
        np.testing.assert_allclose(drawn, wanted / max(1, np.abs(wanted).max() / 1.6))
    bold = {"none": [], "norm": ["Circle"], "value": ["Rectangle"]}[clipping]
    assert [type(p).__name__ for p in step.patches if p.get_linewidth() == 2] == bold


@pytest.mark.parametrize(
    "values, says",
    [
        (
            ("none", 4.0, 15),
            "w = 1.20 and b = 0.00. The loss is 0.75; the gradient has length 202.",
        ),
        (("none", 4.0, 16), "w = 0.91 and b = 10.12, far outside the picture. The loss is 0.25;"),
        (("norm", 4.0, 15), "has length 202, clipped to 4.0 and turned by 0°."),
        (("value", 4.0, 15), "has length 202, clipped to 5.7 and turned by 43°."),
        (
            ("norm", 4.0, 0),
            "w = 1.60 and b = −0.40. The loss is 2.1; the gradient has length 0.37.",
        ),
    ],
)
def test_the_figure_says_what_it_shows(figure, values, says):
    figure.clipping, figure.threshold, figure.updates = values
    assert says in figure._picture["sentence"]


def test_every_path_has_as_many_points_whatever_the_update(figure):
    """A fragment that keeps its shape is a few numbers in the page, not a text of its own."""
    sizes = set()
    for updates in range(0, 41, 5):
        figure.updates = updates
        sizes.add(len(figure._drawing.fig.axes[0].get_lines()[1].get_xydata()))
    assert sizes == {41}


def test_the_page_marks_the_lines_that_matter():
    page = Path(__file__).parents[1].joinpath("notebooks", "07_taming.ipynb").read_text("utf-8")

    def marked(shown, name):
        places = re.search(rf"{name}.*?emphasize-lines: ([\d, ]+)", page, re.DOTALL).group(1)
        return [shown.splitlines()[int(place) - 1] for place in places.split(",")]

    forward, backward = marked(inspect.getsource(taming.loss_and_gradient), "loss_and_gradient")
    assert ".forward(" in forward and ".backward(" in backward
    norm, scale = marked(inspect.getsource(clipping.clip_by_norm), "pyobject: clip_by_norm")
    assert "global_norm(" in norm and "scale =" in scale
    [cut] = marked(inspect.getsource(clipping.clip_by_value), "pyobject: clip_by_value")
    assert "np.clip(" in cut
    lines = marked(inspect.getsource(remedies.network), "pyobject: network")
    for line, word in zip(lines, ("NormalizedRNN(", "RNN(", "orthogonal(", "np.eye("), strict=True):
        assert word in line
    factors, signs = marked(inspect.getsource(initializers.orthogonal), "pyobject: orthogonal")
    assert "qr(" in factors and "np.sign(" in signs
    source = inspect.getsource(standardize)
    shown = source[source.index("EPS =") : source.index("GAIN =")]
    assert marked(shown, "start-at: ..EPS =")[0].startswith("AXIS =")


def test_the_colors_are_the_palettes(figure):
    _, path, _ = figure._drawing.fig.axes[0].get_lines()
    assert path.get_color() == plots.RNN
