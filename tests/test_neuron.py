"""Chapter 02's numbers and figures against one neuron stepped by hand."""

import inspect
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rnn_teach import plots
from rnn_teach.cells import RNN
from rnn_teach.figures import neuron

PAGE = Path(__file__).parents[1].joinpath("notebooks", "02_neuron.ipynb").read_text("utf-8")
F = {"tanh": np.tanh, "identity": lambda a: a}
WEIGHTS = [-2.0, -1.0, -0.9, 0.0, 0.5, 0.9, 1.0, 1.2, 1.5, 2.0]
BIASES = [-0.3, 0.0, 0.1, 0.5]
NEURONS = list(product(WEIGHTS, BIASES))


def run(w, b, f, h, steps):
    """h, f(w h + b), f(w f(w h + b) + b), ...: `steps` states, the first as given."""
    out = [h]
    for _ in range(steps - 1):
        out.append(f(w * out[-1] + b))
    return np.array(out)


def drawn(figure, axes, color, style=None):
    """The points of the lines of a color, and of a line style if one is given."""
    return [
        line.get_xydata()
        for line in figure._drawing.fig.axes[axes].get_lines()
        if line.get_color() == color and style in (None, line.get_linestyle())
    ]


@pytest.mark.parametrize("w, b", NEURONS)
@pytest.mark.parametrize("activation", F)
def test_the_two_pasts_are_those_of_a_neuron_stepped_by_hand(activation, w, b):
    f = F[activation]
    h = neuron.pasts(neuron.neuron(w, b, activation), pulse=0.7, steps=30)[:, :, 0]
    for past, heard in zip(h.T, (0.7, -0.7), strict=True):
        np.testing.assert_allclose(past, run(w, b, f, f(heard + b), 30), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("w", [-0.9, -0.3, 0.01, 0.5, 0.97])
@pytest.mark.parametrize("b", [0.0, 0.4])
def test_a_linear_neuron_has_the_half_life_of_the_formula(w, b):
    measured = neuron.memory_half_life(neuron.pasts(neuron.neuron(w, b, "identity")))
    steps = neuron.linear_half_life(w)
    assert abs(w) ** steps == pytest.approx(0.5)
    assert measured.item() == pytest.approx(steps, rel=1e-6)


def test_the_half_life_is_where_the_distance_is_halved():
    for w, b in ((0.9, 0.0), (0.9, 0.3), (1.2, 0.2), (-0.8, 0.0)):
        h = neuron.pasts(neuron.neuron(w, b))
        apart = np.abs(h[:, 0, 0] - h[:, 1, 0])
        steps = neuron.memory_half_life(h).item()
        assert apart[int(np.floor(steps))] > apart[0] / 2 >= apart[int(np.ceil(steps))]


@pytest.mark.parametrize("w, b", NEURONS)
def test_the_fixed_points_are_all_there_are(w, b):
    found = neuron.fixed_points(w, b)
    for h, slope in found:
        assert np.tanh(w * h + b) == pytest.approx(h, abs=1e-12)
        ends = np.tanh(w * (h + np.array([1e-6, -1e-6])) + b)
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)
    # every sign change of f(w h + b) - h on a fine grid that has no solution for a point of its own
    grid = np.linspace(-1.0013, 1.0017, 2001)
    changes = np.diff(np.sign(np.tanh(w * grid + b) - grid)) != 0
    np.testing.assert_allclose([h for h, _ in found], grid[:-1][changes], atol=2e-3)
    assert [h for h, _ in found] == sorted(h for h, _ in found)


@pytest.mark.parametrize("w, b", NEURONS)
def test_what_attracts_draws_in_and_what_repels_drives_away(w, b):
    for h, slope in neuron.fixed_points(w, b):
        away = np.abs(run(w, b, np.tanh, h + 1e-5, 4) - h)
        if abs(slope) != 1:
            assert (away[3] < away[0]) == (abs(slope) < 1)


def test_a_linear_neuron_has_one_fixed_point_or_none():
    assert neuron.fixed_points(0.9, 0.2, "identity") == [(pytest.approx(2.0), 0.9)]
    assert neuron.fixed_points(1.0, 0.2, "identity") == []


@pytest.mark.parametrize("w, b", [(1.1, 0.0), (1.5, 0.0), (1.5, 0.1), (1.5, -0.1), (2.0, 0.2)])
def test_the_pulse_that_flips(w, b):
    need = neuron.pulse_to_flip(w, b)
    low = neuron.fixed_points(w, b)[0].h
    for pulse, flips in ((need - 1e-6, False), (need + 1e-6, True)):
        end = run(w, b, np.tanh, np.tanh(w * low + b + pulse), 2000)[-1]
        assert (end > neuron.fixed_points(w, b)[1].h) == flips


def test_nothing_flips_where_there_is_one_state():
    assert neuron.pulse_to_flip(1.0) is None
    assert neuron.pulse_to_flip(1.5, 0.3) is None
    assert neuron.pulse_to_flip(-1.5) is None


@pytest.mark.parametrize(
    "w, b, activation", [(0.9, 0.0, "tanh"), (1.5, 0.1, "tanh"), (-0.9, 0.3, "identity")]
)
def test_the_cobweb_shows_the_same_states_as_the_time_axis(w, b, activation):
    figure = neuron.cobweb()
    figure.w, figure.b, figure.activation = w, b, activation
    f = F[activation]
    for color, heard in ((plots.RNN, 1), (plots.ACCENT, -1)):
        h = run(w, b, f, f(heard + b), neuron.STEPS)
        [over_time] = drawn(figure, 0, color)
        np.testing.assert_allclose(over_time, np.c_[1 : neuron.STEPS + 1, h], atol=1e-12)
        stairs, start = drawn(figure, 1, color)
        # corners alternate between the diagonal (h, h) and the curve (h, f(w h + b))
        diagonal, curve = stairs[::2], stairs[1::2]
        np.testing.assert_allclose(diagonal, np.c_[h, h][: neuron.STAIRS], atol=1e-12)
        np.testing.assert_allclose(curve, np.c_[h[:-1], h[1:]][: neuron.STAIRS - 1], atol=1e-12)
        np.testing.assert_allclose(start, [(h[0], h[1])])
    (curve, attracts, repels) = drawn(figure, 1, plots.INK)
    np.testing.assert_allclose(curve[:, 1], f(w * curve[:, 0] + b))
    points = neuron.fixed_points(w, b, activation)
    assert attracts[:, 0].tolist() == [h for h, slope in points if abs(slope) < 1]
    assert repels[:, 1].tolist() == [h for h, slope in points if abs(slope) > 1]
    [null] = drawn(figure, 0, plots.MUTED)
    np.testing.assert_allclose(null[:, 1], f(np.array(b)))  # the null: both pasts, with w = 0


@pytest.mark.parametrize(
    "w, b, activation, says",
    [
        (0.9, 0.0, "tanh", "tanh, half of the difference is gone after 3.6 steps, and 8% is left"),
        (0.9, 0.2, "identity", "no activation, half of the difference is gone after 6.6 steps"),
        (0.3, 0.0, "tanh", "and less than 1% is left at step 20."),
        (0.0, 0.5, "tanh", "tanh, nothing of the difference is left after one step."),
        (
            1.5,
            0.0,
            "tanh",
            "With w = 1.5, b = 0.0 and tanh, the two pasts stay 1.72 apart for good.",
        ),
        (
            -1.5,
            0.0,
            "tanh",
            "With w = −1.5, b = 0.0 and tanh, the two pasts stay 1.72 apart for good and change sides at every step.",
        ),
        (1.0, 0.1, "identity", "the two pasts stay 2.00 apart for good."),
        (-1.1, 0.0, "identity", "the two pasts move apart without end."),
    ],
)
def test_the_cobweb_says_what_it_shows(w, b, activation, says):
    figure = neuron.cobweb()
    figure.w, figure.b, figure.activation = w, b, activation
    assert says in figure._picture["sentence"]


def test_for_good_is_said_where_two_stable_states_hold_the_two_pasts():
    figure = neuron.cobweb()
    for w, b in product([w for w in WEIGHTS if w >= 0], [b for b in BIASES if b >= 0]):
        figure.w, figure.b = w, b
        stays = neuron.fixed_points(w, b)
        middle = stays[1].h if len(stays) == 3 else np.inf
        kept = np.tanh(-1 + b) < middle < np.tanh(1 + b)
        assert ("for good" in figure._picture["sentence"]) == kept


@pytest.mark.parametrize("pulse, b", [(1.0, 0.0), (0.1, 0.1), (3.0, 0.3), (1.0, 1.0)])
def test_the_half_lives_are_those_of_neurons_alone(pulse, b):
    figure = neuron.half_lives()
    figure.pulse, figure.b = pulse, b
    [measured] = drawn(figure, 0, plots.RNN)
    assert measured[0].tolist() == [0, 0]  # the null: w = 0 forgets at once
    for w, steps in measured[::5]:
        alone = neuron.memory_half_life(neuron.pasts(neuron.neuron(w, b), pulse)).item()
        assert steps == pytest.approx(min(alone, 99), rel=1e-9)
    [theory] = drawn(figure, 0, plots.GOLD)
    np.testing.assert_allclose(theory[1:, 0] ** theory[1:, 1], 0.5)
    assert np.all(np.isin([0.9, 1.2], measured[:, 0]))  # the weights that the sentence speaks of


def test_the_half_lives_say_never_only_where_two_states_last():
    figure = neuron.half_lives()
    for b in (0.0, 0.1, 0.3):
        figure.b = b
        assert ("never at w = 1.2" in figure._picture["sentence"]) == (
            len(neuron.fixed_points(1.2, b)) == 3
        )
    figure.pulse, figure.b = 1.0, 0.0
    assert "is gone after 3.6 steps at w = 0.9 (linear: 6.6)" in figure._picture["sentence"]


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("w, pulse", [(1.5, 1.2), (1.5, 1.3), (2.0, 2.0), (0.8, 1.5)])
def test_the_latch_draws_inputs_states_and_the_size_that_it_takes(w, pulse, noise):
    figure = neuron.latch()
    figure.w, figure.pulse, figure.noise = w, pulse, noise
    x, h = neuron.switched(w, pulse, noise)
    state, expected = neuron.fixed_points(w)[0].h, []
    for x_t in x:
        state = np.tanh(w * state + x_t)
        expected.append(state)
    np.testing.assert_allclose(h, expected)
    quiet = neuron.switched(w, 0.0, noise)[0]
    pulses = pulse * np.eye(neuron.LATCH_STEPS)[[neuron.ON - 1, neuron.OFF - 1]]
    np.testing.assert_allclose(x - quiet, pulses[0] - pulses[1], atol=1e-15)
    assert quiet.any() == (noise > 0)
    [shown] = drawn(figure, 1, plots.RNN)
    np.testing.assert_allclose(shown[:, 1], h)
    [null] = drawn(figure, 1, plots.MUTED)
    np.testing.assert_allclose(null[:, 1], np.tanh(x))
    bars = figure._drawing.fig.axes[0].collections[0].get_segments()
    np.testing.assert_allclose([bar[1][1] for bar in bars], x)
    need = neuron.pulse_to_flip(w)
    for line, sign in zip(figure._drawing.fig.axes[0].get_lines(), (1, -1), strict=True):
        assert line.get_visible() == (need is not None)
        assert need is None or set(line.get_ydata()) == {sign * need}
    bands = drawn(figure, 1, plots.GRID)
    assert {y for band in bands for _, y in band} == {
        h for h, slope in neuron.fixed_points(w) if abs(slope) <= 1
    }


@pytest.mark.parametrize(
    "w, pulse, says",
    [
        (
            1.5,
            1.2,
            "With w = 1.5 more than 1.29 flips it, and 1.2 does not: 12 steps later h is −0.86.",
        ),
        (1.5, 1.4, "With w = 1.5 more than 1.29 flips it, and 1.4 does: 12 steps later h is 0.86."),
        (
            0.8,
            1.2,
            "With w = 0.8 nothing latches: the pulse brings h to 0.83, 12 steps later it is 0.04.",
        ),
    ],
)
def test_the_latch_says_what_became_of_the_pulse(w, pulse, says):
    figure = neuron.latch()
    figure.w, figure.pulse = w, pulse
    assert figure._picture["sentence"] == says


def test_the_page_marks_the_lines_that_matter():
    def marked(function):
        shown = inspect.getsource(function).splitlines()
        option = rf":pyobject: {function.__name__}\\n.*?emphasize-lines: ([\d, ]+)"
        return [shown[int(k) - 1] for k in re.search(option, PAGE, re.DOTALL).group(1).split(",")]

    [weights] = marked(neuron.neuron)
    assert "W_h[:]" in weights
    heard, states = marked(neuron.pasts)
    assert "pulse, -pulse" in heard and "forward(x)" in states
    [size] = marked(neuron.pulse_to_flip)
    assert "w * (points[1].h - points[0].h)" in size


def test_the_page_marks_the_loop_of_the_package():
    source = inspect.getsource(RNN.forward)
    loop = source[source.index("for t in range(T):") :].splitlines()
    option = r"start-at: ..for t in range.*?emphasize-lines: (\d+)"
    place = re.search(option, PAGE, re.DOTALL).group(1)
    assert "W_h" in loop[int(place) - 1]
