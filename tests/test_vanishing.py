"""Chapter 06's numbers against computations that share nothing with the backward pass."""

import inspect
import re
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import rnn_teach
from rnn_teach import plots
from rnn_teach.figures import vanishing
from rnn_teach.functional import ACTIVATIONS

GAINS = [0.5, 0.9, 1.4, 2.0]
NAMES = list(vanishing.NAMES)
NETWORKS = list(product(GAINS, NAMES))
PLAIN = {  # the activations once more, written down from their definitions
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.maximum(a, 0.01 * a),
    "elu": lambda a: np.where(a > 0, a, np.exp(np.minimum(a, 0)) - 1),
}


def states(x, gain, name):
    """h_1 … h_T (T, H) of one sequence x (T, D), step by step."""
    cell = vanishing.network(gain, name)
    h, out = np.zeros(vanishing.H), []
    for x_t in x:
        h = PLAIN[name](x_t @ cell.W_x + h @ cell.W_h + cell.b)
        out.append(h)
    return np.array(out)


def jacobian_of_the_rest(gain, name, x, h):
    """∂h_T/∂h (H, H): every component of h moved along the imaginary axis, then the steps x."""
    step = 1e-30
    moved = h + 1j * step * np.eye(vanishing.H)
    if not len(x):
        return np.eye(vanishing.H)
    copies = np.repeat(x[:, None], vanishing.H, axis=1)
    return vanishing.network(gain, name).forward(copies, moved).h[-1].imag.T / step


def lines(figure, axes=0):
    return {
        line.get_color(): line.get_xydata() for line in figure._drawing.fig.axes[axes].get_lines()
    }


@pytest.mark.parametrize("gain, name", NETWORKS)
def test_the_gradient_at_every_lag_is_that_of_the_loss(gain, name):
    length = 12
    measured = vanishing.gradient_at_lags(gain, length, name)
    direction = np.random.default_rng(6666).standard_normal((vanishing.N, vanishing.H))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    for n in (0, vanishing.N - 1):
        x = vanishing.sequences(length)[:, n]
        h = states(x, gain, name)
        for k in range(length):
            rest = jacobian_of_the_rest(gain, name, x[length - k :], h[length - 1 - k])
            expected = np.linalg.norm(direction[n] @ rest)
            assert measured[k, n] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("gain, name", NETWORKS)
def test_no_gradient_exceeds_the_bound(gain, name):
    norms = vanishing.gradient_at_lags(gain, 100, name)
    bound, _ = vanishing.theory_rates(gain, name)
    assert norms.shape == (100, vanishing.N)
    np.testing.assert_allclose(norms[0], 1)
    assert np.all(norms <= bound ** np.arange(100)[:, None] * (1 + 1e-9))


@pytest.mark.parametrize("gain, name", NETWORKS)
def test_the_theory_lines_come_from_the_matrix_in_use(gain, name):
    W = vanishing.network(gain, name).W_h
    steepest = {"sigmoid": 0.25}.get(name, 1)
    bound, rate = vanishing.theory_rates(gain, name)
    assert rate == pytest.approx(steepest * np.abs(np.linalg.eigvals(W)).max())
    assert bound == pytest.approx(steepest * np.sqrt(np.linalg.eigvalsh(W @ W.T).max()))
    assert 1.8 < bound / rate < 2.2  # about twice, as the chapter says


def test_the_bound_is_what_one_step_can_do_and_the_radius_what_many_do():
    W = vanishing.unit_radius_matrix()
    stretch = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) ** (1 / k) for k in (1, 1000)]
    assert stretch[0] == pytest.approx(vanishing.theory_rates(1, "tanh")[0])
    assert stretch[1] == pytest.approx(1, abs=0.01)


def test_gradient_flow_draws_what_was_measured():
    figure = vanishing.gradient_flow()
    figure.gain, figure.length, figure.activation = 1.2, 100, "elu"
    norms = vanishing.gradient_at_lags(1.2, 100, "elu")
    drawn = lines(figure)
    lag, median = drawn[plots.RNN].T
    assert lag[0] == 0 and lag[-1] == 99
    np.testing.assert_allclose(median, np.median(norms[lag.astype(int)], axis=1))
    bound, rate = vanishing.theory_rates(1.2, "elu")
    np.testing.assert_allclose(drawn[plots.ACCENT], [(0, 1), (99, bound**99)])
    np.testing.assert_allclose(drawn[plots.GOLD], [(0, 1), (99, rate**99)])
    [band] = figure._drawing.fig.axes[0].patches
    tenth, ninetieth = np.quantile(norms[lag.astype(int)], [0.1, 0.9], axis=1)
    corners = np.r_[tenth, ninetieth[::-1], tenth[0]]
    np.testing.assert_allclose(band.get_xy()[:, 1], corners)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_flow_names_the_size_at_step_1(name):
    figure = vanishing.gradient_flow()
    figure.length, figure.activation = 20, name
    for gain in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]:
        figure.gain = gain
        left = np.median(vanishing.gradient_at_lags(gain, 20, name)[19])
        says = vanishing.share(left, 1e-16, 1e8)
        assert figure._picture["sentence"] == (
            f"With gain {gain:.2f}, {vanishing.NAMES[name]} and 20 steps the gradient reaches "
            f"step 1 at {says} its size at step 20."
        )


@pytest.mark.parametrize(
    "values, says",
    [
        ((0.9, 50, "tanh"), "reaches step 1 at 10⁻⁶ of its size at step 50."),
        ((0.9, 50, "sigmoid"), "reaches step 1 at less than 10⁻¹⁶ of its size at step 50."),
        ((2.0, 100, "relu"), "reaches step 1 at more than 10⁸ times its size at step 100."),
        ((1.4, 20, "leaky_relu"), "reaches step 1 at about its size at step 20."),
    ],
)
def test_gradient_flow_says_what_it_shows(values, says):
    figure = vanishing.gradient_flow()
    figure.gain, figure.length, figure.activation = values
    assert figure._picture["sentence"].endswith(says)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_under_the_slider_is_the_derivative(name):
    figure = vanishing.activation_slopes()
    figure.activation = name
    for a in (-5, -1.3, -0.1, 0.1, 2, 5):
        figure.a = a
        ends = [PLAIN[name](np.array(a + e)) for e in (-1e-6, 1e-6)]
        slope = (ends[1] - ends[0]) / 2e-6
        text = figure._picture["sentence"]
        shown = float(text.split(" is ")[1].split(":")[0])
        assert shown == pytest.approx(slope, rel=0.01, abs=1e-6)


@pytest.mark.parametrize("name, a", [("tanh", 1.0), ("sigmoid", -3.0), ("elu", -0.5)])
def test_activation_slopes_draws_the_function_its_slope_and_the_powers(name, a):
    figure = vanishing.activation_slopes()
    figure.activation, figure.a = name, a
    value, slope, *dots = figure._drawing.fig.axes[0].get_lines()
    inputs, outputs = value.get_xydata().T
    np.testing.assert_allclose(outputs, PLAIN[name](inputs))
    derivative = (PLAIN[name](inputs + 1e-6) - PLAIN[name](inputs - 1e-6)) / 2e-6
    smooth = np.abs(inputs) > 1e-5
    np.testing.assert_allclose(slope.get_ydata()[smooth], derivative[smooth], atol=1e-6)
    at_a = (PLAIN[name](a + 1e-6) - PLAIN[name](a - 1e-6)) / 2e-6
    np.testing.assert_allclose(
        [dot.get_xydata()[0] for dot in dots], [(a, PLAIN[name](a)), (a, at_a)]
    )
    _, best, product, _ = figure._drawing.fig.axes[1].get_lines()
    k = np.arange(31)
    np.testing.assert_allclose(product.get_xydata(), np.c_[k, at_a**k], rtol=1e-6)
    np.testing.assert_allclose(best.get_ydata(), {"sigmoid": 0.25}.get(name, 1) ** k)


def test_steps_to_a_thousandth_is_the_first_power_below_it():
    for name in NAMES:
        f = ACTIVATIONS[name]
        for slope in f.slope(f.value(np.linspace(-5, 5, 101))):
            steps = vanishing.steps_to_a_thousandth(slope)
            if steps is None:
                assert slope == 1
            else:
                assert slope**steps < 1e-3 <= slope ** (steps - 1)


def test_the_dot_stands_where_a_thousandth_is_passed():
    figure = vanishing.activation_slopes()
    figure.activation, figure.a = "sigmoid", 0.0
    assert "is 0.25: 5 such steps" in figure._picture["sentence"]
    dot = figure._drawing.fig.axes[1].get_lines()[-1]
    np.testing.assert_allclose(dot.get_xydata(), [(5, 0.25**5)])
    figure.activation = "tanh"
    assert "any number of such steps leaves everything" in figure._picture["sentence"]
    assert dot.get_xydata().size == 0


@pytest.mark.parametrize("gain, name", NETWORKS)
def test_the_memories_are_those_of_a_network_stepped_by_hand(gain, name):
    x = vanishing.sequences(vanishing.MEMORY)[:, 0]
    first, last = x.copy(), x.copy()
    first[0], last[-1] = -x[0], -x[-1]
    expected = np.stack([states(s, gain, name) for s in (x, first, last)], axis=1)
    # 1e-6: a network that explodes or is chaotic blows the rounding up as well
    np.testing.assert_allclose(
        vanishing.three_memories(gain, name),
        expected,
        rtol=1e-6,
        atol=1e-6 * np.abs(expected).max(),
    )


@pytest.mark.parametrize("gain, name", NETWORKS)
def test_the_jacobian_of_the_last_state(gain, name):
    x = vanishing.sequences(vanishing.MEMORY)[:, :1]
    cell = vanishing.network(gain, name)
    jacobian = vanishing.last_state_jacobian(gain, name)
    for t in (0, 30, vanishing.MEMORY - 1):
        moved = np.repeat(x, vanishing.D, axis=1).astype(complex)
        moved[t] += 1e-30j * np.eye(vanishing.D)
        expected = cell.forward(moved).h[-1].imag.T / 1e-30
        np.testing.assert_allclose(
            jacobian[t], expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max()
        )


def test_first_input_left_shows_the_distance_of_the_states():
    figure = vanishing.first_input_left()
    figure.gain, figure.activation = 1.4, "elu"
    x = vanishing.sequences(vanishing.MEMORY)[:, 0]
    first, last = x.copy(), x.copy()
    first[0], last[-1] = -x[0], -x[-1]
    h, h_first, h_last = (states(s, 1.4, "elu") for s in (x, first, last))
    scale = np.linalg.norm(h_first[0] - h[0])
    drawn = lines(figure, axes=1)
    t, distance = drawn[plots.RNN].T
    np.testing.assert_array_equal(t, np.arange(1, vanishing.MEMORY + 1))
    np.testing.assert_allclose(distance, np.linalg.norm(h_first - h, axis=1) / scale, rtol=1e-6)
    [(_, dot)] = drawn[plots.ACCENT]
    assert dot == pytest.approx(np.linalg.norm(h_last[-1] - h[-1]) / scale)
    assert np.all(h_last[:-1] == h[:-1])  # the null: nothing can differ before the last input does
    unit = np.abs(h_first[0] - h[0]).argmax()
    both = np.array([h[:, unit], h_first[:, unit]])
    shown = [line.get_ydata() for line in figure._drawing.fig.axes[0].get_lines()]
    np.testing.assert_allclose(shown, both / np.abs(both).max(), rtol=1e-6)
    # the sizes in the sentence: the most that a change of one input can change the last state
    x_moved = np.repeat(x[:, None], 2 * vanishing.D, axis=1).astype(complex)
    x_moved[0, : vanishing.D] += 1e-30j * np.eye(vanishing.D)
    x_moved[-1, vanishing.D :] += 1e-30j * np.eye(vanishing.D)
    moved = vanishing.network(1.4, "elu").forward(x_moved).h[-1].imag / 1e-30
    sizes = [np.sqrt(np.linalg.eigvalsh(m @ m.T)[-1]) for m in np.split(moved, 2)]
    assert figure._picture["sentence"] == (
        "With gain 1.40 and ELU, the first input's mark on the state is, at step 50, "
        f"{vanishing.share(distance[-1], 1e-12, 1e4)} its size at step 1; ∂h₅₀/∂x₁ is "
        f"{vanishing.share(sizes[0] / sizes[1], 1e-12, 1e4)} the size of ∂h₅₀/∂x₅₀."
    )


def test_recall_asks_for_the_symbol_before_and_at_the_end_for_the_first():
    batch = vanishing.recall(6, 40, rng=np.random.default_rng(0))
    assert batch.x.shape == (6, 40, 3) and batch.target.shape == (6, 40)
    for n in range(40):
        symbols = batch.x[:, n, :2].argmax(axis=1)
        expected = [symbols[0], *symbols[:4], symbols[0]]
        assert batch.target[:, n].tolist() == expected
    np.testing.assert_array_equal(batch.x[..., :2].sum(axis=2), 1)
    np.testing.assert_array_equal(batch.x[..., 2], np.eye(6)[-1][:, None] * np.ones(40))


def test_labels_stand_in_the_axes_in_the_order_of_their_lines_and_apart():
    with plots.style():
        fig, ax = plt.subplots()
    plots.log_axis(ax, 1e-16, 1e8, decades=4)
    labels = {name: ax.text(0, 1, "") for name in "abcd"}
    rng = np.random.default_rng(0)
    for ends in 10.0 ** rng.uniform(-40, 40, (200, 4)):
        plots.label_ends(labels, ends, 7)
        x, y = np.transpose([label.get_position() for label in labels.values()])
        assert np.all(x == 7) and y.min() > 1e-16 and y.max() < 1e8
        assert np.all(np.argsort(y) == np.argsort(ends))
        assert np.diff(np.log10(np.sort(y))).min() > 1.5
        arrows = [label.get_text()[1:] for label in labels.values()]
        assert arrows == [" ↓" if e < 1e-16 else " ↑" if e > 1e8 else "" for e in ends]
    plt.close(fig)


def test_the_page_marks_the_lines_that_matter():
    page = Path(__file__).parents[1].joinpath("notebooks", "06_vanishing.ipynb").read_text("utf-8")
    cell = Path(rnn_teach.__file__).with_name("cells").joinpath("rnn.py").read_text("utf-8")
    loop = cell[cell.index("# every local slope first") : cell.index("# the weights are shared")]

    def marked(file, shown):
        places = (
            re.search(rf"{file}.*?emphasize-lines: ([\d, ]+)", page, re.DOTALL).group(1).split(",")
        )
        return [shown.splitlines()[int(place) - 1] for place in places]

    slope, times_slope, times_matrix = marked("cells/rnn.py", loop)
    assert ".slope(" in slope and "da_t *= dh_t" in times_slope and "W_hT" in times_matrix
    forward, backward = marked("vanishing.py", inspect.getsource(vanishing.gradient_at_lags))
    assert "cell.forward(" in forward and "cell.backward(" in backward
