"""Chapter 11's races as they are stored and drawn, and its gradients against the complex step."""

import math
import re
from itertools import combinations
from pathlib import Path

import nbformat
import numpy as np
import pytest

import rnn_teach
from rnn_teach import plots, tasks
from rnn_teach.figures import contest, vanishing

PROBLEMS = {
    "adding": tasks.HochreiterAdding,
    "temporal_order": tasks.TemporalOrder,
    "copy_memory": lambda T: tasks.Copy(delay=T, items=5),
}


@pytest.fixture
def made_up(monkeypatch):
    """Two lags, three seeds and a few points of adding, small enough to know by heart."""
    runs = {
        "cell": np.tile(np.repeat(["RNN", "LSTM", "GRU"], 3), 2),
        "T": np.repeat([30, 60], 9),
        "seed": np.tile([0, 1, 2], 6),
        "solved": np.array([0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0]),
        "baseline": np.repeat([0.04, 0.05], 9),
    }
    rows = [
        # seed 1 of each cell ends early; what it says at 200 is what it said at 100
        (cell, T, seed, shown, loss)
        for cell in ("RNN", "LSTM", "GRU")
        for T in (30, 60)
        for seed, losses in enumerate([(0.09, 0.05, 0.03), (0.07, 0.01), (0.08, 0.04, 0.02)])
        for shown, loss in zip((0, 100, 200), losses, strict=False)
    ]
    columns = zip(("cell", "T", "seed", "sequences", "loss"), zip(*rows, strict=True), strict=True)
    stored = {"adding": runs, "adding-curves": {name: np.array(column) for name, column in columns}}
    for function in (contest.runs, contest.points):
        function.cache_clear()
    monkeypatch.setattr(contest.results, "read", stored.__getitem__)
    yield
    for function in (contest.runs, contest.points):
        function.cache_clear()


# Stored


@pytest.mark.parametrize("task", PROBLEMS)
def test_every_cell_ran_at_every_lag_from_at_least_five_seeds(task):
    table = contest.runs(task)
    assert len(contest.lags(task)) >= 3
    for cell in contest.CELLS:
        for lag in contest.lags(task):
            assert len(set(contest.of(table, "seed", cell, lag))) >= 5
            assert contest.seeds(task, cell, lag) == len(
                set(contest.of(table, "seed", cell, lag))
            ), "each seed once"


@pytest.mark.parametrize("task", PROBLEMS)
def test_the_baseline_is_the_one_that_can_be_derived(task):
    known = {
        "adding": lambda T: 1 / 24,
        "temporal_order": lambda T: math.log(4),
        "copy_memory": lambda T: 5 * math.log(8) / (T + 10),
    }[task]
    for lag in contest.lags(task):
        assert contest.baseline(task, lag) == pytest.approx(known(lag), rel=1e-3)
        assert PROBLEMS[task](lag).baseline() == pytest.approx(known(lag))


@pytest.mark.parametrize("task", PROBLEMS)
def test_the_curves_begin_untrained_and_end_where_the_row_says(task):
    table, low, high = contest.runs(task), *contest.TASKS[task].axis
    for cell in contest.CELLS:
        for lag in contest.lags(task):
            moments, losses = contest.learning_curves(task, cell, lag)
            assert moments[0] == 0 and np.all(np.diff(moments) > 0)
            assert losses.shape == (contest.seeds(task, cell, lag), len(moments))
            ends = dict(zip(contest.of(table, "seed", cell, lag),
                            contest.of(table, "loss", cell, lag), strict=True))  # fmt: skip
            np.testing.assert_allclose(losses[:, -1], [ends[s] for s in sorted(ends)])
            assert low < losses.min() and losses.max() < high, "inside the axis"
            assert losses[:, 0].min() > 0.5 * contest.baseline(task, lag), "nothing is known yet"


# Read


def test_a_run_that_has_ended_keeps_its_last_loss(made_up):
    moments, losses = contest.learning_curves("adding", "GRU", 60)
    assert moments.tolist() == [0, 100, 200]
    np.testing.assert_array_equal(
        losses, [[0.09, 0.05, 0.03], [0.07, 0.01, 0.01], [0.08, 0.04, 0.02]]
    )


def test_solved_runs_are_counted_by_cell_and_lag(made_up):
    counts = {(c, T): contest.solved("adding", c, T) for c in contest.CELLS for T in (30, 60)}
    assert counts == {("RNN", 30): 1, ("LSTM", 30): 3, ("GRU", 30): 0,
                      ("RNN", 60): 0, ("LSTM", 60): 3, ("GRU", 60): 1}  # fmt: skip
    assert contest.lags("adding") == [30, 60]
    assert contest.baseline("adding", 60) == 0.05


def test_the_race_draws_median_band_baseline_and_dots(made_up):
    figure = contest.race("adding")
    figure.value = {"lag": 60, "cell": "GRU"}
    top, bottom = figure._drawing.fig.axes
    drawn = {line.get_color(): line for line in top.get_lines()}
    for color in plots.CELL_COLORS.values():
        np.testing.assert_allclose(drawn[color].get_xydata(), [(0, 0.08), (0.1, 0.04), (0.2, 0.02)])
    np.testing.assert_allclose(drawn[plots.ACCENT].get_xydata(), [(0, 0.05), (0.2, 0.05)])
    widths = {cell: drawn[color].get_linewidth() for cell, color in plots.CELL_COLORS.items()}
    assert max(widths, key=widths.get) == "GRU"
    [band] = top.patches
    np.testing.assert_allclose(
        band.get_xy()[:-1, 1], [0.07, 0.01, 0.01, 0.03, 0.05, 0.09], err_msg="lowest, highest"
    )
    assert [column.get_alpha() for column in bottom.patches] == [0, 0.7]
    full = sum(len(c.get_offsets()) for c in bottom.collections if len(c.get_facecolor()))
    assert full == contest.runs("adding")["solved"].sum()
    assert sum(len(c.get_offsets()) for c in bottom.collections) == 18
    assert figure._picture["sentence"] == (
        "Adding, length 60: solved by RNN 0 of 3, GRU 1 of 3, LSTM 3 of 3 seeds. After "
        "200 sequences the GRU has a loss of 0.02, from 0.01 to 0.03; always 0.5 costs 0.05."
    )


@pytest.mark.parametrize("best, worst", [(5, 0), (5, 3), (4, 1), (3, 3), (0, 0)])
def test_by_chance_counts_the_ways_to_deal(best, worst):
    dealt = list(combinations(range(10), best + worst))
    as_good = [d for d in dealt if sum(k < 5 for k in d) >= best]
    assert contest.by_chance(best, worst, 5) == pytest.approx(len(as_good) / len(dealt))


# Measured


@pytest.mark.parametrize("gain", [0.5, 0.9, 2.0])
def test_the_rnn_is_that_of_chapter_06(gain):
    np.testing.assert_array_equal(
        contest.gradient_at_lags("RNN", gain, 0, 50), vanishing.gradient_at_lags(gain, 50, "tanh")
    )


@pytest.mark.parametrize("cell", ["GRU", "LSTM"])
@pytest.mark.parametrize("bias", [0, 4])
def test_the_gradient_at_every_lag_is_that_of_the_loss(cell, bias):
    length, step = 8, 1e-30
    made, x = contest.layer(cell, 1.2, bias), vanishing.sequences(length)[:, :1]
    measured = contest.gradient_at_lags(cell, 1.2, bias, length)
    direction = np.random.default_rng(6666).standard_normal((vanishing.N, vanishing.H))[0]
    direction /= np.linalg.norm(direction)
    trace = made.forward(x)
    assert measured[0, 0] == pytest.approx(1)
    for k in range(1, length):
        held = [trace.h[-1 - k, 0]] + ([trace.c[-1 - k, 0]] if cell == "LSTM" else [])
        slopes = []
        for which in range(len(held)):
            moved = [np.tile(part.astype(complex), (vanishing.H, 1)) for part in held]
            moved[which] += 1j * step * np.eye(vanishing.H)
            state = tuple(moved) if cell == "LSTM" else moved[0]
            rest = np.repeat(x[length - k :], vanishing.H, axis=1)
            slopes.append((made.forward(rest, state).h[-1] @ direction).imag / step)
        assert measured[k, 0] == pytest.approx(np.linalg.norm(slopes), rel=1e-9)


def test_the_gate_that_keeps_has_the_bias_and_every_block_the_gain():
    for cell, blocks in (("GRU", 3), ("LSTM", 4)):
        made = contest.layer(cell, 1.5, 4)
        radii = [np.abs(np.linalg.eigvals(W)).max() for W in np.hsplit(made.W_h, blocks)]
        np.testing.assert_allclose(radii, 1.5)
        trace = made.forward(np.zeros((1, 1, vanishing.D)))
        keeps = trace.f if cell == "LSTM" else trace.z
        np.testing.assert_allclose(keeps, 1 / (1 + math.exp(-4)))
        assert sum(np.count_nonzero(p) for p in made.parameters.values() if p.ndim == 1) == 64


def test_three_gradients_draws_what_was_measured():
    figure = contest.three_gradients()
    figure.value = {"gain": 1.2, "bias": 3, "length": 20}
    [ax] = figure._drawing.fig.axes
    drawn = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    for cell in contest.CELLS:
        norms = contest.gradient_at_lags(cell, 1.2, 3, 20)
        lag, median = drawn[cell].T
        assert lag[0] == 0 and lag[-1] == 19
        np.testing.assert_allclose(median, np.median(norms[lag.astype(int)], axis=1))
    gate = 1 / (1 + math.exp(-3))
    np.testing.assert_allclose(drawn["gate alone"], [(0, 1), (19, gate**19)])
    sentence = figure._picture["sentence"]
    assert sentence.startswith("With gain 1.2 and bias 3 the gate that keeps starts near 0.95.")
    for cell in contest.CELLS:
        says = vanishing.share(drawn[cell][-1, 1], vanishing.LOWEST, vanishing.HIGHEST)
        assert f"{cell} {says} its size" in sentence


# The page


def test_the_page_marks_the_lines_where_the_gate_stands_alone():
    page = nbformat.read(Path(__file__).parents[1] / "notebooks" / "11_contest.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in page.cells)

    def marked(file: str) -> list[str]:
        block = re.search(rf"```{{literalinclude}} \S*{file}\n(.*?)```", text, re.DOTALL).group(1)
        code = Path(rnn_teach.__file__).parent.joinpath(file).read_text("utf-8")
        start = re.search(r':start-at: "\s*(.*)"', block).group(1)
        lines = code[code.index(start) :].splitlines()
        places = re.search(r":emphasize-lines: ([\d, ]+)", block).group(1).split(",")
        return [lines[int(place) - 1].strip() for place in places]

    assert marked("cells/lstm.py") == ["np.multiply(dc_t, f_t, out=carried_prev)"]
    assert marked("cells/gru.py") == ["back += dh_t * z_t"]
    one_each, back = marked("diagnostics/gradients.py")
    assert one_each == "dh[np.arange(T), np.arange(T)] = direction" and ".backward(" in back
