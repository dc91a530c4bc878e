"""Chapter 10's GRU that reads, its two gates over a text, and the room that the figures take."""

from itertools import product

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rnn_teach.figures import gru, language, layouts, letters
from rnn_teach.live import payload
from rnn_teach.live.controls import states
from rnn_teach.live.states import compute


def rng(seed: int = 4) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def run():
    return letters.train(language.english(rng()), steps=40, rng=rng())


def test_training_is_the_same_twice_and_leaves_the_null_untouched(run):
    again = letters.train(language.english(rng()), steps=40, rng=rng())
    for name, p in run.trained.parameters.items():
        np.testing.assert_array_equal(p, again.trained.parameters[name])
        assert (p != run.untrained.parameters[name]).any()
    assert letters.loss(run.untrained, run.data) == pytest.approx(np.log(37), abs=0.05)
    assert letters.loss(run.trained, run.data) < 2.8


@pytest.mark.parametrize("gate, other", ["rz", "zr"])
def test_a_frozen_gate_stands_still_at_its_mean(run, gate, other):
    x = run.data.measured.x
    mean = getattr(run.trained.cell.forward(x), gate).mean(axis=(0, 1))
    still = letters.frozen(run.trained, run.data, gate).cell.forward(x[:50])
    np.testing.assert_allclose(
        getattr(still, gate), np.broadcast_to(mean, still.h.shape), rtol=1e-9
    )
    assert getattr(still, other).std(axis=(0, 1)).min() > 0
    assert run.trained.cell.forward(x[:50]).r.std(axis=(0, 1)).min() > 0, "a copy was frozen"


def test_kept_is_the_change_that_is_still_there(run):
    lag, cell, x = 2, run.trained.cell, run.data.measured.x
    h, step = cell.forward(x[:400]).h, 1e-6
    left = np.zeros(cell.H)
    for t, n in product(range(20, 400, 20), (0, 7, 14)):
        for j in (0, 31):
            ends = []
            for sign in (1, -1):
                start = h[t, n][None] + sign * step * np.eye(cell.H)[[j]]
                ends.append(cell.forward(x[t + 1 : t + 1 + lag, [n]], start).final[0, j])
            left[j] += abs(ends[0] - ends[1]) / (2 * step) / 57
    got = letters.kept(run.trained, run.data, lag)
    np.testing.assert_allclose(got[[0, 31]], left[[0, 31]], rtol=1e-5)


def test_the_rank_correlation_knows_only_the_order():
    a = rng().normal(size=50)
    assert letters.rank_correlation(a, np.exp(3 * a)) == 1
    assert letters.rank_correlation(a, -(a**3)) == -1
    assert abs(letters.rank_correlation(a, rng(9).normal(size=50))) < 0.4


def test_the_area_of_a_square_is_its_gate():
    values = np.array([[1.0, 0.25], [0.0, 0.5]])
    corners = letters.squares(values).vertices.reshape(2, 2, 5, 2)
    for (row, column), value in np.ndenumerate(values):
        width, height = np.ptp(corners[row, column], axis=0)
        assert width * height == pytest.approx(0.94**2 * value)
        np.testing.assert_allclose(corners[row, column, :4].mean(axis=0), (column, row), atol=1e-12)


@pytest.mark.parametrize("network", ["trained", "untrained"])
def test_the_gates_in_the_picture_are_those_at_the_letter(run, network):
    figure = letters.gates_over_letters(run)
    layer = getattr(run, network).cell
    codes = run.data.vocabulary.encode("\n" + letters.PASSAGE)
    trace = layer.forward(np.eye(layer.D)[codes][:, None])
    for letter in (1, 17, 18):
        figure.value = {"letter": letter, "network": network}
        z, r = (getattr(trace, gate)[letter, 0].mean() for gate in "zr")
        dots = {line.get_label(): line.get_ydata()[0] for line in _dots(figure)}
        assert dots == {"_z": pytest.approx(z), "_r": pytest.approx(r)}
        assert f"keep {z:.2f}" in repr(figure) and f"let {r:.2f}" in repr(figure)
        bold = [t.get_text() for t in figure._drawing.fig.axes[0].texts if t.get_weight() == "bold"]
        assert bold == [letters.PASSAGE[letter - 1].replace(" ", letters.SPACE)]


def _dots(figure):
    return [line for line in figure._drawing.fig.axes[2].lines if line.get_marker() == "o"]


def test_the_passage_is_held_out(run):
    assert letters.PASSAGE in run.data.held_out and letters.PASSAGE not in run.data.train


@pytest.mark.parametrize(
    "make",
    [lambda run: gru.gru_steps(), lambda run: layouts.two_grus(), letters.gates_over_letters],
    ids=["gru-steps", "two-grus", "gates-over-letters"],
)
def test_a_figure_keeps_its_budget_and_its_text_inside(run, make):
    figure = make(run)
    packed = compute(figure._drawing, figure._controls, figure._draw)
    assert len(packed.pictures) <= 100_000 < payload.MAX_BYTES
    fig = figure._drawing.fig
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    for state in list(states(figure._controls))[::5]:
        figure.draw(state)
        for ax in fig.axes:
            boxes = [
                (text.get_window_extent(renderer), text.get_text())
                for text in ax.texts
                if text.get_visible() and text.get_text().strip()
            ]
            for k, (box, said) in enumerate(boxes):
                assert box.x0 >= -1 and box.x1 <= width + 1, said
                for other, also in boxes[:k]:
                    assert not box.shrunk(0.9, 0.7).overlaps(other.shrunk(0.9, 0.7)), (said, also)
