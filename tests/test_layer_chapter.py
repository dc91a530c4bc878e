"""Chapter 03's numbers and figures against layers stepped by hand."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnn_teach import plots
from rnn_teach.cells import RNN
from rnn_teach.figures import layer as chapter

PAGE = Path(__file__).parents[1].joinpath("notebooks", "03_layer.ipynb").read_text("utf-8")
SIZES = [(D, H) for D in (1, 2, 3) for H in (1, 2, 3, 4)]


def states(layer, x):
    """h_1 … h_T (T, H) of one sequence x (T, D), step by step."""
    h, out = np.zeros(layer.H), []
    for x_t in x:
        h = np.tanh(x_t @ layer.W_x + h @ layer.W_h + layer.b)
        out.append(h)
    return np.array(out)


def areas(path):
    """The areas (n,) of the squares of a path, row by row."""
    corners = path.vertices.reshape(-1, 5, 2)
    return np.prod(np.ptp(corners, axis=1), axis=1)


def stamps(figure):
    """For the shared network and for the other: each step's collection (box, above 0, below 0)."""
    collections = figure._drawing.fig.axes[0].collections
    all_steps = [c for c in collections if len(c.get_facecolor()) == 3]
    assert len(all_steps) == 2 * chapter.MOST
    return all_steps[: chapter.MOST], all_steps[chapter.MOST :]


@pytest.mark.parametrize("D, H", SIZES)
def test_the_number_of_weights_is_that_of_the_equation(D, H):
    layer = chapter.layer_of_step(D, H)
    assert chapter.count(layer) == D * H + H * H + H
    assert [layer.W_x.shape, layer.W_h.shape, layer.b.shape] == [(D, H), (H, H), (H,)]


@pytest.mark.parametrize("T, D, H", [(1, 1, 1), (4, 2, 3), (8, 3, 4)])
def test_unrolling_stamps_the_weights_of_each_step(T, D, H):
    figure = chapter.unrolling()
    figure.T, figure.D, figure.H = T, D, H
    shared, own = stamps(figure)
    for network, step_of in ((shared, lambda t: 0), (own, lambda t: t)):
        assert [stamp.get_visible() for stamp in network] == [t < T for t in range(chapter.MOST)]
        for t, stamp in enumerate(network[:T]):
            layer = chapter.layer_of_step(D, H, step_of(t))
            box, above, below = stamp.get_paths()
            assert len(areas(box)) == 2  # W_h and W_x
            for path, sign in ((above, 1), (below, -1)):
                sizes = [np.abs(W[sign * W > 0]) / np.abs(W).max() for W in (layer.W_h, layer.W_x)]
                expected = np.concatenate(sizes) * chapter.WIDTH**2
                np.testing.assert_allclose(areas(path), expected)
            colors = [to_hex(color) for color in stamp.get_facecolor()]
            assert colors == [plots.SOFT, plots.RNN, plots.ACCENT]


def test_the_stamps_of_the_shared_network_are_alike_and_those_of_the_null_are_not():
    figure = chapter.unrolling()
    figure.T = chapter.MOST
    for network, alike in zip(stamps(figure), (True, False), strict=True):
        first = network[0].get_paths()[1].vertices
        for t, stamp in enumerate(network[1:], start=1):
            moved = stamp.get_paths()[1].vertices - [t, 0]
            assert (moved.shape == first.shape and np.allclose(moved, first)) == alike


def test_a_matrix_stands_as_it_is_written():
    W = np.array([[1.0, -2.0, 4.0], [-4.0, 1.0, -1.0]])
    [_], above, below = chapter._matrix(W, 5.0, 7.0)
    middles = [square[:4].mean(axis=0) - [5, 7] for square in above]
    w = chapter.WIDTH
    np.testing.assert_allclose(middles, [(-w, w / 2), (w, w / 2), (0, -w / 2)], atol=1e-12)
    assert len(below) == 3


@pytest.mark.parametrize("T, D, H", [(5, 2, 3), (1, 1, 2), (8, 3, 4)])
def test_the_counter_grows_only_where_nothing_is_shared(T, D, H):
    figure = chapter.unrolling()
    figure.T, figure.D, figure.H = T, D, H
    lines = figure._drawing.fig.axes[1].get_lines()
    once = D * H + H * H + H
    steps = np.arange(1, chapter.MOST + 1)
    own, shared, own_dot, shared_dot = (line.get_xydata() for line in lines)
    np.testing.assert_array_equal(own, np.c_[steps, once * steps])
    np.testing.assert_array_equal(shared, np.c_[steps, np.full_like(steps, once)])
    assert own_dot.tolist() == [[T, once * T]] and shared_dot.tolist() == [[T, once]]
    assert figure._picture["sentence"] == (
        f"With D = {D} and H = {H} the layer has {once} numbers to learn for {T} "
        f"step{'' if T == 1 else 's'}; with weights of its own at each step it would be {once * T}."
    )


@pytest.mark.parametrize("pair", chapter.PAIRS)
def test_both_orders_hold_the_same_symbols_and_end_alike(pair):
    one, other = chapter.PAIRS[pair]
    assert sorted(one) == sorted(other) and one != other
    assert len(one) == chapter.LENGTH and one[-1] == other[-1]
    x = chapter.one_hot(pair)
    assert x.shape == (chapter.LENGTH, 2, len(set(one)))
    both = [*one, *other]
    flat = x.swapaxes(0, 1).reshape(len(both), -1)
    same = [[a == b for b in both] for a in both]
    np.testing.assert_array_equal(flat @ flat.T, same)


@pytest.mark.parametrize("pair", chapter.PAIRS)
@pytest.mark.parametrize("gain", [0.0, 0.9, 1.5])
def test_states_and_bags_are_those_of_a_layer_stepped_by_hand(pair, gain):
    x = chapter.one_hot(pair)
    layer = chapter.reader(x.shape[2], gain)
    assert np.abs(np.linalg.eigvals(layer.W_h)) == pytest.approx(gain)
    h, bags = chapter.states_and_bags(pair, gain)
    for n in range(2):
        np.testing.assert_allclose(h[:, n], states(layer, x[:, n]))
        for t in range(chapter.LENGTH):
            mean = x[: t + 1, n].mean(axis=0)
            np.testing.assert_allclose(bags[t, n], np.tanh(mean @ layer.W_x))
    assert chapter.apart(bags)[-1] == pytest.approx(0, abs=1e-12)  # a bag cannot tell
    assert (chapter.apart(h)[-1] > 0.5) == (gain > 0)  # a state can, if there is a loop


def test_two_orders_draws_the_paths_and_the_distances():
    figure = chapter.two_orders()
    figure.words, figure.gain, figure.t = "man and dog", 1.2, 5
    h, bags = chapter.states_and_bags("man and dog", 1.2)
    plane, distance = figure._drawing.fig.axes
    origin, one, other, end, other_end = (line.get_xydata() for line in plane.get_lines())
    assert origin.tolist() == [[0, 0]]
    for path, dot, n in ((one, end, 0), (other, other_end, 1)):
        np.testing.assert_allclose(path, np.vstack([[(0, 0)], h[:5, n]]))
        np.testing.assert_allclose(dot, [h[4, n]])
    of_bags, of_states = (line.get_xydata() for line in distance.get_lines())
    for line, states_of in ((of_bags, bags), (of_states, h)):
        expected = np.sqrt(((states_of[:5, 0] - states_of[:5, 1]) ** 2).sum(axis=1))
        np.testing.assert_allclose(line, np.c_[1:6, expected])
    tokens = distance.texts[2:]
    shown = [text.get_text() for text in tokens]
    assert (tuple(shown[:7]), tuple(shown[7:])) == chapter.PAIRS["man and dog"]
    assert [text.get_alpha() < 1 for text in tokens] == 2 * ([False] * 5 + [True] * 2)


def test_two_orders_stays_inside_its_axes():
    for pair in chapter.PAIRS:
        for gain in np.linspace(0, 1.5, 16):
            h, bags = chapter.states_and_bags(pair, gain)
            assert np.abs(h).max() < 1.05
            assert max(chapter.apart(h).max(), chapter.apart(bags).max()) < 2.1  # below the labels


@pytest.mark.parametrize(
    "words, gain, t, says",
    [
        ("listen / silent", 0.9, 7, "0.98 apart after 7 symbols, and the two bags 0.00."),
        ("listen / silent", 0.0, 7, "0.00 apart after 7 symbols, and the two bags 0.00."),
        ("man and dog", 0.9, 1, "0.00 apart after 1 symbol, and the two bags 0.00."),
    ],
)
def test_two_orders_says_what_it_shows(words, gain, t, says):
    figure = chapter.two_orders()
    figure.words, figure.gain, figure.t = words, gain, t
    assert figure._picture["sentence"] == f"With gain {gain} the two states are {says}"


def test_the_page_marks_the_lines_that_matter():
    source = inspect.getsource(RNN.forward)
    shown = source[source.index("x, (h0,), mask, p =") :].splitlines()
    option = r"start-at: ..x, \(h0,\).*?emphasize-lines: ([\d, ]+)"
    places = re.search(option, PAGE, re.DOTALL).group(1).split(",")
    inputs, state, activation = (shown[int(place) - 1] for place in places)
    assert "W_x" in inputs and "W_h" in state and "f(" in activation
