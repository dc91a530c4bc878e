"""Chapter 09's forget bias, its counters and its stored runs, against computations of their own."""

from functools import cache

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rnn_teach import plots
from rnn_teach.bptt import predict
from rnn_teach.figures import counting, lifetime
from rnn_teach.live import payload
from rnn_teach.live.controls import states
from rnn_teach.live.states import compute


def step(cell, x, h, c):
    """One step of an LSTM, coupled or not, written down from its equations."""
    parts = np.split(x @ cell.W_x + h @ cell.W_h + cell.b, 3 if cell.coupled else 4)
    i, g, o = (parts[k] for k in ((0, 1, 2) if cell.coupled else (0, 2, 3)))
    i, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-o))
    f = 1 - i if cell.coupled else 1 / (1 + np.exp(-parts[1]))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c, f


# The forget bias


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("bias", [-1.0, 1.0, 3.0])
def test_the_error_is_that_of_the_loss_and_of_the_gates_met(bias, coupled):
    length = 12
    left = lifetime.error_left(bias, length, coupled)
    cell, v, x = lifetime.cell(bias, coupled), lifetime.directions(), lifetime.sequences(length)
    h_size, n_seq = lifetime.H, lifetime.N
    whole, along = np.zeros((length, n_seq)), np.zeros((length, n_seq))
    for n in range(n_seq):
        h, c, past = np.zeros(h_size), np.zeros(h_size), []
        for t in range(length):
            h, c, f = step(cell, x[t, n], h, c)
            past.append((c, f, h / np.tanh(c)))
        product = v[n]
        for k in range(length):
            t = length - 1 - k
            along[k, n] = np.linalg.norm(product)
            product = product * past[t][1]
            # move each entry of c_t, with o_t as it is, along the imaginary axis
            gradient = []
            for j in range(h_size):
                moved = past[t][0] + 1e-30j * (np.arange(h_size) == j)
                h, c = past[t][2] * np.tanh(moved), moved
                for later in range(t + 1, length):
                    h, c, _ = step(cell, x[later, n], h, c)
                gradient.append((v[n] * c).sum().imag / 1e-30)
            whole[k, n] = np.linalg.norm(gradient)
    np.testing.assert_allclose(left.measured, np.median(whole, axis=1), rtol=1e-9)
    np.testing.assert_allclose(left.along, np.median(along, axis=1), rtol=1e-9)
    np.testing.assert_allclose(left.theory, (1 / (1 + np.exp(-bias))) ** np.arange(length))


def test_a_shorter_length_is_the_beginning_of_the_same_sequences():
    assert (lifetime.sequences(50) == lifetime.sequences(200)[:50]).all()


def test_the_plain_layer_is_the_null_and_forgets_at_once():
    left = lifetime.plain_left(50)
    assert left[0] == pytest.approx(1) and left[20] < 1e-5
    assert lifetime.lifetime(left) < 2


def test_what_the_forget_bias_figure_draws():
    figure = lifetime.forget_bias()
    top, bottom = figure._drawing.fig.axes
    lines = {line.get_label(): line for line in top.get_lines()}
    texts = [text.get_text() for text in top.texts]
    assert len(texts) == 4
    for bias, length, cell in ((1.0, 100, "LSTM"), (3.0, 200, "coupled LSTM"), (3.0, 200, "LSTM")):
        figure.value = {"forget_bias": bias, "length": length, "cell": cell}
        left = lifetime.error_left(bias, length, cell == "coupled LSTM")
        for name, norms in zip(("measured", "along c alone", "fᵏ"), left, strict=True):
            lag, drawn = lines[name].get_data()
            assert lag[-1] == length - 1
            np.testing.assert_array_equal(drawn, norms[lag])
        assert lines["plain RNN"].get_ydata()[0] == pytest.approx(1)
        dots, here = (
            next(line for line in bottom.get_lines() if line.get_markersize() == size)
            for size in (3.5, 9)
        )
        lives = [
            lifetime.lifetime(lifetime.error_left(b, 200, cell == "coupled LSTM").measured)
            for b in lifetime.BIASES
        ]
        lasting = np.isinf(lives)
        assert dots.get_ydata().tolist() == [life for life in lives if np.isfinite(life)]
        (beyond,) = (line for line in bottom.get_lines() if line.get_marker() == "^")
        assert len(beyond.get_xdata()) == lasting.sum()
        assert here.get_xdata() == [bias]
        life = lives[lifetime.BIASES.index(bias)]
        assert ("over 200 steps" if np.isinf(life) else f"is {life:.1f} steps") in repr(figure)
    curve = next(line for line in bottom.get_lines() if line.get_label() == "theory")
    f = 1 / (1 + np.exp(-curve.get_xdata()))
    np.testing.assert_allclose(f ** curve.get_ydata(), 0.5)


# The counters


class Scripted:
    """A cell and a readout in one, that says what it is told to."""

    def __init__(self, says):
        self.says = says


@pytest.mark.parametrize("wrong", [None, 3, 5])
def test_reached_ends_before_the_first_number_that_is_wrong(monkeypatch, wrong):
    def script(network, x):
        n = (len(x) - 1) // 2
        target = np.array([1] * n + [2] * n + [0])
        target[1:n] = 0  # among the a it may say what it likes
        if wrong is not None and n >= wrong:
            target[-1] = 2
        return np.eye(3)[target][:, None], None

    monkeypatch.setattr(counting, "predict", script)
    assert counting.reached(Scripted(None), 9) == (9 if wrong is None else wrong - 1)


@pytest.mark.parametrize("n", [1, 4])
def test_an_early_end_and_a_late_one_are_both_wrong(monkeypatch, n):
    right = np.array([1] * n + [2] * n + [0])
    for at, symbol in ((-1, 2), (n + 1 if n > 1 else -1, 0 if n > 1 else 1)):
        said = right.copy()
        said[at] = symbol
        monkeypatch.setattr(
            counting, "predict", lambda *_, said=said: (np.eye(3)[said][:, None], 0)
        )
        assert not counting.counts_right(None, n)
    monkeypatch.setattr(counting, "predict", lambda *_: (np.eye(3)[right][:, None], 0))
    assert counting.counts_right(None, n)


@cache
def counter(kind):
    return counting.train(kind)


@pytest.mark.parametrize("kind", list(counting.KINDS))
def test_a_reading_is_the_line_through_cell_and_count(kind):
    for network in counter(kind):
        read = counting.reading(network)
        c, counted = [], []
        for n in range(1, 11):
            _, trace = predict(network, counting.string(n).x)
            c += trace.c[:, 0, read.unit].tolist()
            text = "$" + "a" * n + "b" * n
            counted += [
                text[: k + 1].count("a") - text[: k + 1].count("b") for k in range(2 * n + 1)
            ]
        assert read.r == pytest.approx(np.corrcoef(c, counted)[0, 1])
        shift, scale = np.polynomial.Polynomial.fit(c, counted, 1).convert().coef
        assert (read.scale, read.shift) == (pytest.approx(scale), pytest.approx(shift))


def test_what_the_three_can_count():
    far = {kind: counting.reached(counter(kind).trained) for kind in counting.KINDS}
    assert 9 <= far["coupled"] < far["without peepholes"] < far["with peepholes"]
    c = counter("coupled").trained.cell.forward(counting.string(60).x).c
    assert np.abs(c).max() <= 1
    c = counter("with peepholes").trained.cell.forward(counting.string(60).x).c
    assert np.abs(c).max() > 30


@pytest.mark.parametrize("kind", list(counting.KINDS))
@pytest.mark.parametrize("n", [3, 20])
def test_the_counting_figure_shows_the_count_the_cell_and_the_end(kind, n):
    figure = counting.counting()
    figure.value = {"n": n, "kind": kind}
    top, bottom = figure._drawing.fig.axes
    lines = {line.get_label(): line.get_ydata() for line in top.get_lines()}
    assert lines["right"].tolist() == [*range(n + 1), *range(n - 1, -1, -1)]
    network = counter(kind).trained
    read = counting.reading(network)
    y, trace = predict(network, counting.string(n).x)
    np.testing.assert_allclose(
        lines["trained"], (read.scale * trace.c[:, 0, read.unit] + read.shift).clip(-6, 42)
    )
    e = np.exp(y[:, 0] - y[:, 0].max(axis=1, keepdims=True))
    (end,) = (line for line in bottom.get_lines() if line.get_label() == "the end comes next")
    np.testing.assert_allclose(end.get_ydata(), e[:, 0] / e.sum(axis=1))
    if counting.counts_right(network, n):
        assert f"after the last b it gives the end {end.get_ydata()[-1]:.0%}" in repr(figure)
    else:
        assert "too early" in repr(figure) or end.get_ydata()[-1] < 0.6
    assert f"right up to {counting.reached(network)}." in repr(figure)


RUNS = {
    "cell": np.array(["LSTM"] * 4 + ["LSTM with peepholes"] * 4),
    "n_reached": np.array([10, 30, 12, 12, 200, 11, 60, 200]),
}


@pytest.mark.parametrize("n, without, peeping", [(11, 3, 4), (12, 3, 3), (30, 1, 3), (70, 0, 2)])
def test_runs_are_counted_that_reach_n(n, without, peeping):
    figure = counting.seeds(RUNS)
    figure.n = n
    said = (
        f"{without} of 4 without peepholes and {peeping} of 4 with peepholes count right up to {n}"
    )
    assert said in repr(figure)
    ax = figure._drawing.fig.axes[0]
    big = [line for line in ax.get_lines() if line.get_markersize() == 8]
    assert [line.get_ydata()[0] for line in big] == [without, peeping]
    for line in ax.get_lines():
        if line.get_marker() == ".":  # a run's dot is where its line falls
            name = line.get_label().removesuffix(", runs")
            (fall,) = (other for other in ax.get_lines() if other.get_label() == name)
            for x, y in line.get_xydata():
                assert fall.get_ydata()[int(x) - 1] >= y


# All figures


FIGURES = [lifetime.forget_bias, counting.counting, lambda: counting.seeds(RUNS)]


@pytest.mark.parametrize("make", FIGURES)
def test_a_figure_keeps_its_budget_and_its_text_inside(make):
    figure = make()
    packed = compute(figure._drawing, figure._controls, figure._draw)
    assert len(packed.pictures) <= 100_000 <= payload.MAX_BYTES
    fig = figure._drawing.fig
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    for state in list(states(figure._controls))[::7]:
        figure.draw(state)
        for ax in fig.axes:
            for text in ax.texts:
                box = text.get_window_extent(renderer)
                assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()


def test_labels_at_the_ends_of_the_lines_are_apart():
    figure = lifetime.forget_bias()
    top = figure._drawing.fig.axes[0]
    for state in states(figure._controls):
        figure.draw(state)
        heights = np.sort([np.log10(text.get_position()[1]) for text in top.texts])
        assert np.diff(heights).min() > 1.2
    assert {text.get_color() for text in top.texts} == {
        plots.RNN,
        plots.LSTM,
        plots.ACCENT,
        plots.GOLD,
    }
