"""Chapter 05's blame against a network written out step by step, each step with weights of its own."""

import inspect
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import rnn_teach
from rnn_teach import RNN, Network, Readout, bptt, plots
from rnn_teach.figures import blame

SETTINGS = list(product([0.6, 1.0, 1.4], ["last", "every"], [False, True]))
PAGE = Path(__file__).parents[1] / "notebooks" / "05_bptt.ipynb"


def losses(model, x, target, own=None, moved=None):
    """The squared error of every step (T,), summed over outputs, for one sequence x (T, D).

    Step t multiplies by own[t] (H, H) in place of W_h, and moved[t] (H,) is added to h_t.
    """
    f = {"tanh": np.tanh, "identity": lambda a: a}[model.cell.nonlinearity]
    h, out = np.zeros(model.cell.H), []
    for t, x_t in enumerate(x):
        W_h = model.cell.W_h if own is None else own[t]
        h = f(x_t @ model.cell.W_x + h @ W_h + model.cell.b)
        h = h if moved is None else h + moved[t]
        out.append(((h @ model.readout.W_y + model.readout.b_y - target[t]) ** 2).sum())
    return np.array(out)


def asked(at, each):
    return each[-1] if at == "last" else each.sum()


def the_case(gain, lossless):
    x, target = blame.sequences(blame.T)
    return blame.network(gain, lossless=lossless), x[:, 0], target[:, 0]


@pytest.mark.parametrize("gain, at, lossless", SETTINGS)
def test_the_blame_is_what_moving_the_state_does_to_the_loss(gain, at, lossless):
    model, x, target = the_case(gain, lossless)
    grads = blame.pass_back(gain, at, lossless=lossless).grads["h"][:, 0]
    for t, j in product(range(blame.T), (0, 7, 15)):
        moved = np.zeros((blame.T, blame.H), complex)
        moved[t, j] = 1e-30j
        slope = asked(at, losses(model, x, target, moved=moved)).imag / 1e-30
        assert grads[t, j] == pytest.approx(slope, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("gain, at, lossless", SETTINGS)
def test_each_step_adds_what_its_own_copy_of_the_weights_would_get(gain, at, lossless):
    model, x, target = the_case(gain, lossless)
    parts = blame.contributions(model.cell, blame.pass_back(gain, at, lossless=lossless))
    assert parts.shape == (blame.T, blame.H, blame.H) and not parts[0].any()
    v = np.random.default_rng(1).normal(size=(blame.H, blame.H))
    for t in range(blame.T):
        own = np.repeat(model.cell.W_h[None].astype(complex), blame.T, axis=0)
        own[t] += 1e-30j * v
        slope = asked(at, losses(model, x, target, own=own)).imag / 1e-30
        assert (parts[t] * v).sum() == pytest.approx(slope, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("gain, at, lossless", SETTINGS)
def test_the_contributions_are_the_gradient(gain, at, lossless):
    cell = blame.network(gain, lossless=lossless).cell
    result = blame.pass_back(gain, at, lossless=lossless)
    whole = blame.contributions(cell, result).sum(axis=0)
    np.testing.assert_allclose(whole, result.grads["cell.W_h"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("gain, at, lossless", SETTINGS)
def test_two_ways_lead_to_the_blame(gain, at, lossless):
    model, _, target = the_case(gain, lossless)
    result = blame.pass_back(gain, at, lossless=lossless)
    through, direct = blame.two_ways(model.cell, result)
    h = result.trace.h[:, 0]
    error = 2 * (h @ model.readout.W_y + model.readout.b_y - target)
    expected = error @ model.readout.W_y.T
    if at == "last":
        expected[:-1] = 0
    np.testing.assert_allclose(direct[:, 0], expected, atol=1e-13)
    np.testing.assert_allclose(through + direct, result.grads["h"], atol=1e-14)
    assert not through[-1].any()


@pytest.mark.parametrize("gain, at, lossless", SETTINGS)
def test_what_the_figure_draws_is_in_units_of_the_last_state(gain, at, lossless):
    back, own, size, share = blame.in_units_of_the_last(gain, at, lossless=lossless)
    assert size[-1] == own[-1] == 1 and back[-1] == 0
    norms = np.linalg.norm(blame.pass_back(gain, at, lossless=lossless).grads["h"][:, 0], axis=1)
    np.testing.assert_allclose(size, norms / norms[-1])
    if at == "last":
        np.testing.assert_allclose(back[:-1], size[:-1], atol=1e-14)
        np.testing.assert_allclose(own[:-1], 0, atol=1e-14)
    assert share.sum() == pytest.approx(1, rel=1e-12)


def test_the_null_loses_nothing_and_the_matrix_is_a_rotation_times_the_gain():
    assert blame.in_units_of_the_last(1.0, "last", lossless=True)[2] == pytest.approx(1)
    for gain in (0.6, 1.4):
        W = blame.network(gain).cell.W_h
        np.testing.assert_allclose(W @ W.T, gain**2 * np.eye(blame.H), atol=1e-12)


def test_slopes_can_only_take_away():
    for gain in (0.6, 0.8, 1.0, 1.2, 1.4):
        size = blame.in_units_of_the_last(gain, "last")[2]
        assert np.all(size[:-1] < gain * size[1:])


def test_shares_are_the_parts_of_a_sum_along_the_sum():
    parts = np.random.default_rng(0).normal(size=(5, 3, 2)) + 0.5
    whole = parts.sum(axis=0).ravel()
    along = [part.ravel() @ whole / np.linalg.norm(whole) for part in parts]
    np.testing.assert_allclose(blame.shares(parts), along / np.linalg.norm(whole))


def test_the_neuron_of_the_pencil_is_the_package_s():
    rng = np.random.default_rng(0)
    neuron = Network(RNN(1, 1, rng=rng), Readout(1, 1, rng=rng))
    neuron.cell.W_h[:], neuron.cell.W_x[:], neuron.cell.b[:] = 0.7, 1.3, -0.2
    neuron.readout.W_y[:] = 1
    x = np.array([1.0, 0, 0]).reshape(3, 1, 1)
    by_package = bptt(neuron, x, np.ones((1, 1)), loss="squared_error", at="last").loss
    assert blame.neuron_loss((0.7, 0.7, 0.7), u=1.3, b=-0.2) == pytest.approx(by_package)
    assert blame.neuron_loss((9.0, 0.7, 0.7)) == blame.neuron_loss((0.0, 0.7, 0.7))  # h_0 is 0
    assert blame.neuron_loss((0.7, 0.7, 0.8)) != blame.neuron_loss((0.7, 0.8, 0.7))


def test_the_oracles_err_as_theory_says():
    first, second = (np.array(blame.oracle_errors(step)) for step in (1e-2, 1e-3))
    np.testing.assert_allclose(first / second, [10, 100, 100], rtol=0.05)
    assert blame.oracle_errors(1e-20)[2] < 1e-14
    assert min(blame.oracle_errors(1e-17)[:2]) == 1


def test_the_wrong_gradient_keeps_only_what_the_last_step_adds():
    model, x, target = the_case(1.0, False)
    v = np.random.default_rng(5).normal(size=(blame.H, blame.H))
    v /= np.linalg.norm(v)
    moved = model.cell.W_h + 1e-30j * v
    everywhere = losses(model, x, target, own=[moved] * blame.T).sum().imag
    at_the_last = losses(model, x, target, own=[model.cell.W_h] * 7 + [moved]).sum().imag
    expected = abs(1 - at_the_last / everywhere)
    assert expected > 0.8
    for step in (1e-3, 1e-5, 1e-8):
        assert blame.oracle_errors(step, summed=False) == pytest.approx([expected] * 3, rel=1e-2)


def drawn(figure):
    top, bottom = figure._drawing.fig.axes
    polygons = [
        [path.vertices for path in shapes.get_paths()]
        for ax in (top, bottom)
        for shapes in ax.collections
        if type(shapes).__name__ == "PolyCollection"
    ]
    return dict(zip(["pale", "disc", "back", "own", "null", "bar"], polygons, strict=True))


def heights(shapes):
    return [np.ptp(shape[:, 1]) for shape in shapes]


@pytest.mark.parametrize("t, at, gain", [(8, "last", 0.8), (3, "every", 1.4), (1, "last", 0.6)])
def test_the_picture_is_the_pass_as_far_as_it_has_come(t, at, gain):
    figure = blame.blame_back()
    figure.t, figure.asked, figure.gain = t, at, gain
    back, own, size, share = blame.in_units_of_the_last(gain, at)
    null_back, _, _, null_share = blame.in_units_of_the_last(gain, at, lossless=True)
    shapes, full = drawn(figure), 2 * blame.RADIUS
    since = slice(t - 1, None)
    np.testing.assert_allclose(heights(shapes["disc"]), full * size[since], rtol=1e-6)
    np.testing.assert_allclose(heights(shapes["back"]), full * back[since][:-1])
    np.testing.assert_allclose(heights(shapes["pale"]), full * null_back[since][:-1])
    widths = [np.ptp(shape[:, 0]) for shape in shapes["own"]]
    np.testing.assert_allclose(widths, full * own[since], atol=1e-12)
    np.testing.assert_allclose([bar[1, 1] for bar in shapes["bar"]], share[since], atol=1e-12)
    np.testing.assert_allclose([bar[1, 1] for bar in shapes["null"]], null_share[since], atol=1e-9)
    tips = [shape[0, 0] for shape in shapes["back"]]
    np.testing.assert_array_equal(np.floor(tips), range(t, 8))
    [line] = [line for line in figure._drawing.fig.axes[1].get_lines() if len(line.get_xdata())]
    np.testing.assert_array_equal(line.get_xdata(), range(t, 9))
    np.testing.assert_allclose(line.get_ydata()[0], share[since].sum())
    asked_text = "at every step" if at == "every" else "at the last step"
    so_far = share[since].sum()
    assert figure._picture["sentence"] == (
        f"Gain {gain:.1f}, loss {asked_text}: the blame of h{'₁₂₃₄₅₆₇₈'[t - 1]} is "
        f"{size[t - 1]:.2f} times that of h₈. Step {t} adds {blame.percent(share[t - 1])} of "
        f"∂L/∂Wₕ; with it {blame.percent(so_far)} are there."
    )


def test_only_what_is_asked_is_named():
    figure = blame.blame_back()
    texts = [text for text in figure._drawing.fig.axes[0].texts if text.get_text()[0] == "L"]
    assert [text.get_visible() for text in texts] == [False] * 7 + [True]
    figure.asked = "every"
    assert all(text.get_visible() for text in texts)


def test_nothing_leaves_the_picture():
    for gain, at in product((0.6, 0.8, 1.0, 1.2, 1.4), ("last", "every")):
        for lossless in (False, True):
            back, _, size, share = blame.in_units_of_the_last(gain, at, lossless=lossless)
            assert max(back.max(), size.max()) < 2.4  # half the way to the neighbor
            so_far = np.cumsum(share[::-1])
            assert min(share.min(), so_far.min()) > -0.06 and so_far.max() < 1.08


@pytest.mark.parametrize("step, summed", [(1e-3, True), (1e-20, True), (1e-5, False)])
def test_step_sizes_draws_the_errors(step, summed):
    figure = blame.step_sizes()
    figure.step, figure.gradient = step, summed
    lines = figure._drawing.fig.axes[0].get_lines()
    curves = {line.get_color(): line.get_xydata() for line in lines[:3]}
    dots = {line.get_color(): line.get_xydata() for line in lines[3:]}
    errors = [blame.oracle_errors(float(x), summed) for x in curves[plots.RNN][:, 0]]
    for k, color in enumerate([plots.MUTED, plots.RNN, plots.LSTM]):
        shown = np.maximum([error[k] for error in errors], 2.0**-53)
        np.testing.assert_allclose(curves[color][:, 1], shown)
        here = max(blame.oracle_errors(step, summed)[k], 2.0**-53)
        np.testing.assert_allclose(dots[color], [(step, here)])
    digits = re.findall(r"(?:sided|central|step) (\d+)", figure._picture["sentence"])
    here = blame.oracle_errors(step, summed)
    assert [int(d) for d in digits] == [int(-np.log10(max(e, 2.0**-53))) for e in here]


def test_the_page_marks_the_lines_that_matter():
    page = re.sub(r"\\n", "\n", PAGE.read_text("utf-8"))
    root = Path(rnn_teach.__file__).parent

    def marked(file, shown, after=""):
        at = page.index(file, page.index(after))
        places = re.search(r"emphasize-lines: ([\d, ]+)", page[at:]).group(1).split(",")
        return [shown.splitlines()[int(place) - 1] for place in places]

    backward = inspect.getsource(RNN.backward)
    loop = backward[backward.index("for t in reversed") :]
    times_slope, times_matrix = marked("cells/rnn.py", loop, after="in the loop of")
    assert "da_t *= dh_t" in times_slope and "W_hT" in times_matrix
    sums = backward[backward.index("# the weights are shared") :]
    names = [line.split('"')[1] for line in marked("cells/rnn.py", sums, after="Line 3, across")]
    assert names == ["W_x", "W_h", "b"]

    body = inspect.getsource(bptt)
    whole = marked("/bptt.py", body[body.index("trace = network.cell.forward") :])
    calls = ["cell.forward(", "readout.forward(", "measure(", "readout.backward(", "cell.backward("]
    assert all(call in line for call, line in zip(calls, whole, strict=True))

    window = (root / "truncated.py").read_text("utf-8")
    body = window[window.index("while done < T:") :]
    calls = ["forward(x[start:end], state)", "cell.backward(", "state = trace.final", "state = "]
    assert all(call in line for call, line in zip(calls, marked("truncated.py", body), strict=True))
    [share] = marked("blame.py", inspect.getsource(blame.shares))
    assert "* whole" in share
    [product_] = marked("blame.py", inspect.getsource(blame.contributions), after="The check")
    assert "h_prev" in product_ and "@ da" in product_
