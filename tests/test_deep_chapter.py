"""Chapter 12's graphs against every path walked one by one, its gradients against the complex step."""

import re
from itertools import pairwise, product
from math import comb
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.colors import same_color

import rnn_teach
from rnn_teach import plots
from rnn_teach.cells import RNN
from rnn_teach.deep import Dense
from rnn_teach.figures import deep, ladders, runners, vanishing
from rnn_teach.figures.layer import count
from rnn_teach.live.controls import states

DEPTH = 3
EVERY = list(product(deep.WAYS, deep.DEPTHS))


def all_paths(way, depth, start):
    """Every path from x_start to the last y, as a list of edges, found by trying all ways on."""
    leaving = {}
    for tail, head in deep.edges(way, depth):
        leaving.setdefault(tail, []).append(head)
    found, open_ends = [], [[(start, 0)]]
    while open_ends:
        path = open_ends.pop()
        if path[-1] == (deep.STEPS, depth + 1):
            found.append(list(pairwise(path)))
        open_ends += [[*path, head] for head in leaving.get(path[-1], [])]
    return found


# The graph


@pytest.mark.parametrize("way, depth", EVERY)
@pytest.mark.parametrize("start", [1, 2, 4])
def test_lengths_and_shares_are_those_of_the_paths_walked_one_by_one(way, depth, start):
    paths = all_paths(way, depth, start)
    assert sorted(deep.lengths(way, depth, start=start).elements()) == sorted(
        sum(1 <= level <= depth for _, (_, level) in path) for path in paths
    )
    expected = [sum(edge in path for path in paths) / len(paths) for edge in deep.edges(way, depth)]
    np.testing.assert_allclose(deep.through(way, depth, start), expected)


@pytest.mark.parametrize("way, depth", EVERY)
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_lengths_are_those_of_the_formula(way, depth, steps):
    length = steps * depth if way == "hidden-to-hidden" else steps + depth - 1
    many = comb(steps + depth - 2, depth - 1) if way == "stacked" else 1
    assert deep.lengths(way, depth, steps) == {length: many}


@pytest.mark.parametrize("way, depth", EVERY)
@pytest.mark.parametrize("weight", [1.0, -0.5, 2.0])
def test_the_drawing_is_the_network(way, depth, weight):
    paths = deep.lengths(way, depth, steps=6)
    walked = sum(many * weight**length for length, many in paths.items())
    assert deep.unit_gradient(way, depth, 6, weight) == pytest.approx(walked, rel=1e-12)


@pytest.mark.parametrize("way", deep.WAYS)
def test_the_layers_with_a_loop_are_those_of_the_list(way):
    made = deep.layers(way, 3, 5, 4, rng=np.random.default_rng(0))
    if way == "hidden-to-hidden":
        assert (made.depth, made.D, made.H) == (3, 5, 4)
        return
    looped = {b for _, b in deep.loops(way, 3)}
    for k, layer in enumerate(made.layers, start=1):
        assert type(layer) is (RNN if k in looped else Dense)
        assert (layer.D, layer.H) == (5 if k == 1 else 4, 4)


def test_at_depth_1_all_four_are_the_plain_layer():
    x = np.random.default_rng(1).normal(size=(6, 2, 3))
    plain = RNN(3, 4, rng=np.random.default_rng(2))
    for way in deep.WAYS:
        made = deep.layers(way, 1, 3, 4, rng=np.random.default_rng(3))
        for p, right in zip(made.parameters.values(), plain.parameters.values(), strict=True):
            p[:] = right
        np.testing.assert_array_equal(made.forward(x).h, plain.forward(x).h)


@pytest.mark.parametrize("way, depth", EVERY)
def test_the_numbers_to_learn_are_those_of_the_formula(way, depth):
    D, H, K = deep.D, deep.H, deep.K
    loops = depth if way == "stacked" else 1
    assert deep.cost(way, depth) == (
        D * H + (depth - 1) * H**2 + loops * H**2 + depth * H + H * K + K
    )


# The first figure


@pytest.fixture(scope="module")
def four_ways():
    return deep.four_ways()


def test_a_state_lights_the_paths_and_nothing_else(four_ways):
    graph = four_ways._drawing.fig.axes[0]
    wires, heads, circles, squares = graph.collections
    for state in list(states(four_ways._controls))[::5]:
        way, depth, start = (
            control.values[k] for control, k in zip(four_ways._controls, state, strict=True)
        )
        four_ways.value = {"way": way, "depth": depth, "start": start}
        share = deep.through(way, depth, start)
        assert len(wires.get_segments()) == len(heads.get_paths()) == len(share)
        for color, lit in zip(wires.get_color(), share > 0, strict=True):
            assert same_color(color, plots.RNN if lit else plots.MUTED)
        width = np.array(wires.get_linewidth())
        assert width[share > 0].min() > width[share == 0].max(initial=0)
        assert np.all(np.diff(width[np.argsort(share)]) >= 0), "thicker where more paths run"
        loops = {a for a, _ in deep.loops(way, depth)}
        assert len(circles.get_offsets()) == deep.STEPS * len(loops)
        assert len(squares.get_offsets()) == deep.STEPS * (depth - len(loops))
        shown = [text.get_text() for text in graph.texts if text.get_visible()]
        assert [text for text in shown if text.startswith("layer")] == [
            f"layer {k}" for k in range(1, depth + 1)
        ]


@pytest.mark.parametrize("way, depth, start", [("stacked", 3, 1), ("hidden-to-hidden", 4, 2)])
def test_the_bars_are_the_numbers_of_all_four(four_ways, way, depth, start):
    four_ways.value = {"way": way, "depth": depth, "start": start}
    _, far, learned = four_ways._drawing.fig.axes
    [table] = four_ways._tables
    rows = dict(zip(table["columns"], zip(*table["rows"], strict=True), strict=True))
    assert list(rows["way"]) == list(deep.WAYS)
    layers = [max(deep.lengths(name, depth, start=start)) for name in deep.WAYS]
    numbers = [deep.cost(name, depth) for name in deep.WAYS]
    for ax, values, null in (
        (far, layers, deep.STEPS - start + 1),
        (learned, numbers, deep.cost(way, 1)),
    ):
        assert [bar.get_width() for bar in ax.patches] == values
        assert [text.get_text() for text in ax.texts][-4:] == [f"{value:,}" for value in values]
        assert max(values) < 0.8 * ax.get_xlim()[1], "room for the number beside the bar"
        np.testing.assert_array_equal(ax.get_lines()[-1].get_xdata(), [null, null])
        lit = [same_color(bar.get_facecolor(), plots.RNN) for bar in ax.patches]
        assert lit == [name == way for name in deep.WAYS]
    assert list(rows["layers on each"]) == layers and list(rows["numbers to learn"]) == numbers


def test_the_sentence_says_paths_layers_and_numbers(four_ways):
    four_ways.value = {"way": "stacked", "depth": 3, "start": 1}
    assert four_ways._picture["sentence"] == (
        "Stacked, depth 3: 10 paths lead from x₁ to y₄, each through 6 layers. "
        "It has 5,538 numbers to learn, the plain layer 1,378."
    )
    four_ways.value = {"way": "hidden-to-output", "depth": 1, "start": 4}
    assert four_ways._picture["sentence"] == (
        "Hidden-to-output, depth 1: one path leads from x₄ to y₄, through 1 layer. "
        "It has 1,378 numbers to learn, the plain layer 1,378."
    )


# The gradient of every layer


def end_of(way, made, x, moved):
    """h_T of the last layer (N, H), step by step and layer by layer; ``moved`` is added to one state."""
    p = made.parameters
    depth = DEPTH
    if way == "hidden-to-hidden":
        into, bias = ["W_x", "W_2", "W_3"], ["b", "b_2", "b_3"]
        loop = {1: "W_h"}
    else:
        into, bias = ([f"{k}.{name}" for k in range(depth)] for name in ("W_x", "b"))
        loop = {k: f"{k - 1}.W_h" for k in range(1, depth + 1)}
    before = {k: 0.0 for k in range(1, depth + 1)}
    for t, x_t in enumerate(x):
        h = {0: x_t}
        for k in range(1, depth + 1):
            a = h[k - 1] @ p[into[k - 1]] + p[bias[k - 1]]
            for said, heard in deep.loops(way, depth):
                if heard == k and t > 0:
                    a = a + before[said] @ p[loop[k]]
            h[k] = np.tanh(a) + moved.get((t, k), 0)
        before = h
    return before[depth]


@pytest.mark.parametrize("way", deep.WAYS)
def test_the_gradient_of_every_layer_at_every_lag_is_that_of_the_loss(way, monkeypatch):
    length, step = 5, 1e-30
    monkeypatch.setattr(ladders, "LENGTH", length)
    measured = ladders.gradient_at_lags.__wrapped__(way, DEPTH, 1.1)
    assert list(measured) == sorted(measured)
    made = ladders.ladder(way, DEPTH, 1.1)
    direction = np.random.default_rng(6666).standard_normal((vanishing.N, vanishing.H))[0]
    direction /= np.linalg.norm(direction)
    x = np.repeat(vanishing.sequences(length)[:, :1], vanishing.H, axis=1)
    each_unit = 1j * step * np.eye(vanishing.H)
    for name, norms in measured.items():
        k = int(name.removeprefix("layer "))
        for lag in range(length):
            end = end_of(way, made, x, {(length - 1 - lag, k): each_unit})
            slopes = (end @ direction).imag / step
            assert norms[lag, 0] == pytest.approx(np.linalg.norm(slopes), rel=1e-9, abs=1e-300)


def test_the_ladder_begins_at_chapter_06_and_every_matrix_has_the_gain():
    for way in deep.WAYS:
        [alone] = ladders.gradient_at_lags(way, 1, 0.9).values()
        right = vanishing.gradient_at_lags(0.9, 50, "tanh")
        np.testing.assert_allclose(alone, right, rtol=1e-12, atol=0)
        squares = [
            p
            for p in ladders.ladder(way, 3, 1.3).parameters.values()
            if p.shape == (vanishing.H, vanishing.H)
        ]
        assert len(squares) == (5 if way == "stacked" else 3)
        for k, W in enumerate(squares):
            assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(1.3)
            assert not any(np.array_equal(W, other) for other in squares[:k])


@pytest.fixture(scope="module")
def depth_gradient():
    return ladders.depth_gradient()


@pytest.mark.parametrize("way", deep.WAYS)
@pytest.mark.parametrize("depth, gain", [(1, 0.6), (2, 1.8), (4, 1.0)])
def test_depth_gradient_draws_what_was_measured(depth_gradient, way, depth, gain):
    depth_gradient.value = {"way": way, "depth": depth, "gain": gain}
    [ax] = depth_gradient._drawing.fig.axes
    *layers, null = ax.get_lines()
    measured = ladders.medians(way, depth, gain)
    np.testing.assert_array_equal(
        null.get_ydata(), np.median(vanishing.gradient_at_lags(gain, 50, "tanh"), axis=1)
    )
    labels = {text.get_text().split(" ↓")[0].split(" ↑")[0]: text for text in ax.texts}
    for k, line in enumerate(layers, start=1):
        norms = measured.get(f"layer {k}", np.zeros(50))
        np.testing.assert_array_equal(line.get_ydata(), norms[norms > 0])
        np.testing.assert_array_equal(line.get_xdata(), np.flatnonzero(norms))
        shown = f"layer {k}" in labels and labels[f"layer {k}"].get_visible()
        assert shown == (norms[-1] > 0)
    above_the_loop = way == "hidden-to-output" and depth > 1
    assert ax.texts[-1].get_text().endswith("at the last step only") == above_the_loop
    for name in ("depth 1", *(name for name, norms in measured.items() if norms[-1])):
        assert re.search(rf"\b{name} (less than )?1", depth_gradient._picture["sentence"])


# The races


@pytest.fixture
def short(monkeypatch):
    """Races of ten updates of small networks, from two seeds."""
    quick = {name: race._replace(updates=10, numbers=900) for name, race in runners.RACES.items()}
    monkeypatch.setattr(runners, "RACES", quick)
    monkeypatch.setattr(runners, "SEEDS", (0, 1))
    runners.run.cache_clear()
    yield
    runners.run.cache_clear()


@pytest.mark.parametrize("name", runners.RUNNERS)
@pytest.mark.parametrize("D, K, numbers", [(2, 2, 2000), (27, 27, 6000)])
def test_every_runner_is_as_wide_as_its_numbers_allow(name, D, K, numbers):
    made = runners.runner(name, D, K, numbers, seed=0)
    assert count(made) <= numbers
    H, depth = made.cell.H, 1 if name == "plain" else 3
    loops = depth if name == "stacked" else 1
    wider = D * (H + 1) + (depth - 1 + loops) * (H + 1) ** 2 + depth * (H + 1) + (H + 2) * K
    assert wider > numbers


def test_all_see_the_same_sequences_and_start_orthogonal():
    for race in runners.RACES:
        one, other = (next(runners.course(race).batches) for _ in range(2))
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.target, other.target)
    for name in runners.RUNNERS:
        made = runners.runner(name, 3, 2, 300, seed=1)
        H = made.cell.H
        squares = [p for p in made.cell.parameters.values() if p.shape == (H, H)]
        assert len(squares) == {"plain": 1, "stacked": 5}.get(name, 3)
        for W in squares:
            np.testing.assert_allclose(W @ W.T, np.eye(H), atol=1e-12)


def test_a_run_is_measured_from_its_start_on(short):
    losses = runners.run("recall", "stacked", 1)
    D, K, _, measure, null = runners.course("recall")
    assert losses.shape == (runners.MOMENTS,)
    assert losses[0] == measure(runners.runner("stacked", D, K, 900, seed=1))
    assert len(set(losses)) == runners.MOMENTS, "it has learned something at every moment"
    assert null == pytest.approx(np.log(2))
    assert runners.course("names").null < np.log(27), "a bigram beats a guess"


def test_what_arrives_is_the_change_of_the_loss(short):
    D, K, many, *_ = runners.course("recall")
    x, target, *_ = next(many)
    made, step = runners.runner("input-to-hidden", D, K, 900, seed=1), 1e-30
    sizes = []
    for t in (0, -1):
        slopes = []
        for d in range(D):
            moved = x.astype(complex)
            moved[t, :, d] += 1j * step
            y = made.readout.forward(made.cell.forward(moved).h[-1])
            right = np.take_along_axis(y, target[:, None], axis=1)[:, 0]
            slopes.append((np.log(np.exp(y).sum(axis=1)) - right).imag / step)
        sizes.append(np.linalg.norm(slopes, axis=0).mean())
    assert runners.arrives("input-to-hidden")[1] == pytest.approx(sizes[0] / sizes[1], rel=1e-9)


@pytest.mark.parametrize("race", runners.RACES)
def test_the_race_draws_medians_band_and_null(race, short):
    figure = runners.depth_race(race)
    figure.network = "input-to-hidden"
    [ax] = figure._drawing.fig.axes
    dashed, *lines = ax.get_lines()
    np.testing.assert_allclose(dashed.get_ydata(), runners.course(race).null)
    for name, line in zip(runners.RUNNERS, lines, strict=True):
        losses = runners.runs(race)[name]
        assert losses.shape == (2, runners.MOMENTS)
        np.testing.assert_array_equal(line.get_ydata(), np.median(losses, axis=0))
        assert (line.get_linewidth() > 2) == (name == "input-to-hidden")
    shown = runners.runs(race)["input-to-hidden"]
    [band] = ax.patches
    corners = np.r_[shown.min(axis=0), shown.max(axis=0)[::-1]]
    np.testing.assert_allclose(band.get_xy()[:-1, 1], corners)
    assert f"input-to-hidden ends at {np.median(shown[:, -1]):.3g}" in figure._picture["sentence"]


# The page


def test_the_page_marks_the_lines_where_the_blame_goes_down():
    page = nbformat.read(Path(__file__).parents[1] / "notebooks" / "12_deep.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in page.cells)

    def marked(file: str) -> list[str]:
        block = re.search(rf"```{{literalinclude}} \S*{file}\n(.*?)```", text, re.DOTALL).group(1)
        code = Path(rnn_teach.__file__).parents[1].joinpath(file).read_text("utf-8")
        start = re.search(r':start-at: "?(.*?)"?\n', block).group(1)
        lines = code[code.index(start) :].splitlines()
        places = re.search(r":emphasize-lines: ([\d, ]+)", block).group(1).split(",")
        return [lines[int(place) - 1].strip() for place in places]

    returned, handed_down = marked("rnn_teach/deep.py")
    assert ".backward(trace.layers[k], dh, " in returned and handed_down == 'dh = grads.pop("x")'
    over_steps, over_layers = marked("rnn_teach/cells/transition.py")
    assert over_steps == "for t in range(T):" and over_layers == "for k in range(L):"
