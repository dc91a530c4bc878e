"""Chapter 16's forecasts, intervals and leaks, against loops and a changed future, and its figures."""

import math
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import rnn_teach
from experiments import sunspots as experiment
from rnn_teach import plots, tasks
from rnn_teach.figures import forecast, intervals, leaks
from rnn_teach.figures.forecast import HORIZONS, NAMES, ORIGINS, TARGETS

YEARS, NUMBERS = tasks.sunspots()
NUMBER = dict(zip(YEARS.tolist(), NUMBERS.tolist(), strict=True))
PAST = "past forecasts"
LEAKS = (
    "none",
    "scaled by all years",
    "window picked by the exam",
    "answers not yet known",
    "fitted on all years",
    "smoothed over 3 years",
)


def changed_after(year: int) -> np.ndarray:
    """The series as it would be if from the next year on something else had happened."""
    other = NUMBERS.copy()
    other[year + 1 - 1700 :] = np.random.default_rng(7).uniform(0, 500, 2008 - year)
    return other


def said(name: str, year: int, horizon: int) -> float:
    return forecast.forecasts(name)[year - 1843, horizon - 1]


def errors_so_far(name: str, year: int, horizon: int) -> list[float]:
    """The sizes of all errors at this horizon whose answer has come by the end of the year."""
    return [
        abs(NUMBER[origin + horizon] - said(name, origin, horizon))
        for origin in range(1843, year + 1)
        if origin + horizon <= year
    ]


# Nobody knows the future


@pytest.mark.parametrize("year", [1843, 1942, 1953, 2006])
@pytest.mark.parametrize("name", forecast.FORECASTERS)
def test_a_forecast_does_not_move_when_the_future_does(name, year):
    forecaster, other = forecast.FORECASTERS[name], changed_after(year)
    moved = forecast.walk(forecaster, other) != forecast.walk(forecaster, NUMBERS)
    assert not moved[ORIGINS <= year].any()
    assert moved[ORIGINS > year].any(axis=1).all(), "and the test is not blind"


@pytest.mark.parametrize("cell", forecast.CELLS)
def test_a_network_does_not_move_when_the_future_does(cell):
    now, other = (
        forecast.trained(series, 1942, cell, seed=1, updates=2)
        for series in (NUMBERS, changed_after(1942))
    )
    for name, p in now.parameters.items():
        np.testing.assert_array_equal(p, other.parameters[name])
    years = np.arange(1930, 1943)
    heard = (forecast.read(now, series, years) for series in (NUMBERS, changed_after(1942)))
    np.testing.assert_array_equal(*heard)
    late = (forecast.read(now, s, years + 1)[-1] for s in (NUMBERS, changed_after(1942)))
    assert not np.array_equal(*late)


def test_lessons_end_with_the_last_answer_that_is_known():
    x, target, *_ = next(forecast.lessons(100.0 * YEARS, 1843, rng=np.random.default_rng(0)))
    assert x.shape == (60, 16, 1) and target.shape == (60, 16, 12)
    np.testing.assert_allclose(target, x + HORIZONS)
    many = forecast.lessons(100.0 * YEARS, 1843, rng=np.random.default_rng(0))
    reached = [next(many).target for _ in range(100)]
    assert round(np.max(reached)) == 1843
    assert round(np.min(reached)) == 1701


@pytest.mark.parametrize("name", LEAKS)
def test_the_changed_future_finds_every_leak_but_not_the_honest_one(name):
    assert tuple(leaks.leaks()) == LEAKS
    leaky = {
        "none": forecast.autoregression,
        "scaled by all years": lambda series, last, years: forecast.autoregression(
            (series - series.mean()) / series.std(), last, years
        ),
        "answers not yet known": leaks.peeking,
        "fitted on all years": lambda series, last, years: forecast.autoregression(
            series, 2008, years
        ),
        "smoothed over 3 years": lambda series, last, years: forecast.autoregression(
            leaks.smoothed(series), last, years
        ),
    }
    if name == "window picked by the exam":  # the exam is in the choice, not in the forecast
        fixed = [partial(forecast.direct, p=p) for p in range(1, 23)]
        scores = np.array([forecast.errors(forecast.walk(one, NUMBERS)) for one in fixed])
        np.testing.assert_allclose(leaks.leaks()[name], scores.min(axis=0))
        assert len({*scores.argmin(axis=0)}) > 1
        return
    other = changed_after(1942)
    moved = forecast.walk(leaky[name], other) != forecast.walk(leaky[name], NUMBERS)
    assert moved[ORIGINS <= 1942].any() == (name != "none")


def test_smoothing_takes_a_third_from_tomorrow():
    np.testing.assert_allclose(leaks.smoothed(np.array([3.0, 0, 6, 9])), [2, 3, 5, 8])


# What is said


def test_the_mean_and_the_last_number_and_the_last_cycle():
    years = np.array([1843, 1952])
    of = {name: forecast.FORECASTERS[name](NUMBERS, 1843, years) for name in NAMES[:3]}
    for row, year in enumerate(years.tolist()):
        so_far = [NUMBER[y] for y in range(1700, year + 1)]
        np.testing.assert_allclose(of["mean"][row], [sum(so_far) / len(so_far)] * 12)
        np.testing.assert_array_equal(of["persistence"][row], [NUMBER[year]] * 12)
        cycle_ago = [NUMBER[year + h - 11] for h in range(1, 12)] + [NUMBER[year + 12 - 22]]
        np.testing.assert_array_equal(of["seasonal"][row], cycle_ago)


@pytest.mark.parametrize("last, horizon, p", [(1843, 12, 3), (1920, 1, 9), (1997, 5, 2)])
def test_the_weights_leave_errors_that_no_input_explains(last, horizon, p):
    *weights, bias = forecast.weights(NUMBERS, last, p, horizon)
    rows, left = [], []
    for year in range(1700 + 22 + horizon - 1, last + 1):  # of the answer
        window = [NUMBER[year - horizon - p + 1 + k] for k in range(p)]
        rows.append([*window, 1])
        left.append(NUMBER[year] - sum(w * x for w, x in zip(weights, window, strict=True)) - bias)
    np.testing.assert_allclose(np.array(rows).T @ left, 0, atol=1e-6 * len(rows) * 100**2)
    speaks = forecast.direct(NUMBERS, last, np.array([last]), p)[0, horizon - 1]
    window = [NUMBER[last - p + 1 + k] for k in range(p)]
    assert speaks == pytest.approx(sum(w * x for w, x in zip(weights, window, strict=True)) + bias)


def test_the_order_has_the_least_aic_of_what_was_known():
    for last in (1843, 1898, 1997):
        answers = np.arange(1722, last + 1)
        scores = {}
        for p in range(1, 23):
            lagged = [NUMBERS[answers - 1700 - k] for k in range(1, p + 1)]
            design = np.stack([*lagged, np.ones(len(answers))], axis=1)
            rest = np.linalg.lstsq(design, NUMBERS[answers - 1700], rcond=None)[1].item()
            scores[p] = len(answers) * math.log(rest / len(answers)) + 2 * (p + 1)
        assert forecast.order(NUMBERS, last) == min(scores, key=scores.get)


def test_every_fit_speaks_for_eleven_years_and_every_origin_has_one():
    fits = forecast.blocks()
    assert [last for last, _ in fits] == list(range(1843, 1998, 11))
    assert all(years[0] == last and len(years) == 11 for last, years in fits)
    assert np.concatenate([years for _, years in fits]).tolist() == list(range(1843, 2008))
    asked = []
    forecast.walk(lambda s, last, years: asked.append(last) or np.zeros((11, 12)), NUMBERS)
    assert asked == [last for last, _ in fits]


def test_every_horizon_is_judged_on_the_same_years():
    about = forecast.judged(ORIGINS[:, None] + HORIZONS)
    assert about.shape == (88, 12)
    assert (about == np.arange(1921, 2009)[:, None]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_errors_are_those_of_a_loop(name):
    for h in (1, 7, 12):
        squares = [(NUMBER[year] - said(name, year - h, h)) ** 2 for year in range(1921, 2009)]
        expected = math.sqrt(sum(squares) / 88)
        assert forecast.all_errors()[name][h - 1] == pytest.approx(expected)


def test_cycles_won_are_counted_by_eleven_years():
    won = forecast.blocks_won("seasonal", "persistence")
    for h in (1, 5, 11):
        count = 0
        for first in range(1921, 2009, 11):
            squares = {
                name: sum((NUMBER[y] - said(name, y - h, h)) ** 2 for y in range(first, first + 11))
                for name in ("seasonal", "persistence")
            }
            count += squares["seasonal"] < squares["persistence"]
        assert won[h - 1] == count


# What is stored


def test_a_stored_network_is_the_one_that_the_experiment_trains():
    found = experiment.run("RNN", 1920, 0)
    stored = forecast.by_seed("RNN")[0]
    for point in found["curve"]:
        ahead = [point[f"ahead_{h}"] for h in HORIZONS]
        # another processor rounds sums differently, and training makes the difference larger
        np.testing.assert_allclose(stored[point["year"] - 1843], ahead, atol=1)
    table = rnn_teach.results.read("sunspots")
    [row] = np.flatnonzero(
        (table["cell"] == "RNN") & (table["last"] == 1920) & (table["seed"] == 0)
    )
    network = forecast.trained(NUMBERS, 1920, "RNN", 0)
    for h in (1, 12):
        years = np.arange(1721, 1921 - h)
        left = NUMBERS[years + h - 1700] - forecast.read(network, NUMBERS, years)[:, h - 1]
        expected = math.sqrt((left**2).mean())
        assert found["row"][f"training_{h}"] == pytest.approx(expected)
        assert table[f"training_{h}"][row] == pytest.approx(expected, rel=0.01)
    came = [NUMBER[1920 + k + 11] - p["ahead_11"] for k, p in enumerate(found["curve"])]
    assert found["row"]["miss_11"] == pytest.approx(np.sqrt(np.mean(np.square(came))), abs=0.1)


@pytest.mark.parametrize("cell", forecast.CELLS)
def test_five_networks_of_a_cell_and_their_mean(cell):
    five = forecast.by_seed(cell)
    assert five.shape == (5, 165, 12) and np.isfinite(five).all()
    assert (five.std(axis=0) > 0).all(), "five different ones"
    np.testing.assert_allclose(forecast.forecasts(cell), sum(five) / 5)


# Intervals


@pytest.mark.parametrize("n, level", [(9, 0.5), (19, 0.9), (69, 0.7), (30, 0.95), (12, 0.6)])
def test_of_all_ranks_the_next_error_may_have_enough_are_inside(n, level):
    errors = np.random.default_rng(n).standard_cauchy(n + 1)
    held = [
        abs(errors[k]) <= intervals.half_width(np.delete(errors, k), level) for k in range(n + 1)
    ]
    assert sum(held) == math.ceil((n + 1) * level)


def test_with_too_few_errors_nothing_is_promised():
    assert intervals.half_width(np.ones(18), 0.95) == math.inf
    assert intervals.half_width(np.ones(19), 0.95) == 1
    assert intervals.half_width(np.array([]), 0.5) == math.inf


@pytest.mark.parametrize("name", ["persistence", "autoregression", "GRU"])
@pytest.mark.parametrize("horizon", [1, 5, 12])
def test_the_width_is_taken_from_errors_that_were_known(name, horizon):
    for year in (1909, 1952, 2007):
        sizes = sorted(errors_so_far(name, year, horizon))
        assert len(sizes) == year - 1843 + 1 - horizon
        k = math.ceil((len(sizes) + 1) * 0.8)
        wide = intervals.half_widths(name, 0.8, PAST)[year - 1843, horizon - 1]
        assert wide == pytest.approx(sizes[k - 1])


def test_the_other_width_is_gaussian_with_the_error_in_training():
    wide = intervals.half_widths("autoregression", 0.9, "training errors")
    fitted = forecast.autoregression(NUMBERS, 1920, np.arange(1721, 1920))[:, 0]
    typical = math.sqrt(((NUMBERS[1722 - 1700 : 1921 - 1700] - fitted) ** 2).mean())
    np.testing.assert_allclose(wide[1920 - 1843 : 1931 - 1843, 0], 1.6449 * typical, rtol=1e-4)
    table = rnn_teach.results.read("sunspots")
    runs = (table["cell"] == "LSTM") & (table["last"] == 1997)
    assert runs.sum() == 5
    five = math.sqrt((table["training_3"][runs] ** 2).mean())
    assert intervals.training_errors("LSTM")[-1, 2] == pytest.approx(five)


@pytest.mark.parametrize("name", ["seasonal", "RNN"])
def test_what_is_covered_and_how_wide_it_is(name):
    h, inside, widths = 5, [], []
    for year in TARGETS.tolist():
        half = intervals.half_widths(name, 0.9, PAST)[year - h - 1843, h - 1]
        middle = said(name, year - h, h)
        inside.append(middle - half <= NUMBER[year] <= middle + half)
        widths.append(middle + half - max(middle - half, 0))
    assert intervals.covered(name, 0.9, PAST)[:, h - 1].tolist() == inside
    assert intervals.mean_width(name, 0.9, PAST)[h - 1] == pytest.approx(sum(widths) / 88)


@pytest.mark.parametrize("hits, n", [(79, 88), (88, 88), (0, 7), (3.5, 7.3)])
def test_at_the_ends_of_the_binomial_interval_the_share_is_just_believable(hits, n):
    for p in intervals.binomial_interval(hits, n):
        assert (hits / n - p) ** 2 == pytest.approx(1.959964**2 * p * (1 - p) / n, abs=1e-7)


# Drawn


def drawn(ax) -> dict:
    return {line.get_label(): line for line in ax.get_lines()}


@pytest.fixture(scope="module")
def walked():
    return intervals.walk_forward()


@pytest.fixture(scope="module")
def by_horizon():
    return forecast.horizon_error()


@pytest.fixture(scope="module")
def measured():
    return intervals.coverage()


@pytest.mark.parametrize("model, origin, horizon", [("GRU", 1976, 11), ("persistence", 1920, 1)])
def test_the_walk_shows_what_was_known_said_and_came(walked, model, origin, horizon):
    walked.value = {"origin": origin, "horizon": horizon, "model": model}
    top, bottom = walked._drawing.fig.axes
    lines = drawn(bottom)
    back, known = lines["known"].get_data()
    assert back[-1] == 0 and known.tolist() == [NUMBER[origin + k] for k in back.tolist()]
    assert lines["what came"].get_ydata().tolist() == [NUMBER[origin + h] for h in range(1, 13)]
    path = lines["forecast"].get_ydata()
    assert path[0] == NUMBER[origin]
    np.testing.assert_allclose(path[1:], [said(model, origin, h) for h in range(1, 13)])
    assert {*lines["persistence"].get_ydata()} == {NUMBER[origin]}
    half = intervals.half_widths(model, 0.9, PAST)[origin - 1843]
    low, high = np.maximum(path[1:] - half, 0), path[1:] + half
    band = bottom.patches[1].get_xy()
    np.testing.assert_allclose(band[:-1, 1], [*low, *high[::-1]])
    np.testing.assert_allclose(lines["_at"].get_ydata(), [low[horizon - 1], high[horizon - 1]])
    five = [line for line in bottom.get_lines() if line.get_label() == "_seed"]
    assert [line.get_visible() for line in five] == [model in forecast.CELLS] * 5
    seen = top.patches[0]
    assert seen.get_x() + seen.get_width() == origin
    came, of = NUMBER[origin + horizon], horizon - 1
    inside = "inside" if low[of] <= came <= high[of] else "outside"
    assert (
        f"between {low[of]:.0f} and {high[of]:.0f}; {came:.0f} came, {inside}."
        in (walked._picture["sentence"])
    )


def test_all_of_the_walk_is_inside_its_axes():
    for model in intervals.MODELS:
        wide = intervals.half_widths(model, 0.9, PAST)
        for origin in range(1920, 1997, 4):
            high = forecast.forecasts(model)[origin - 1843] + wide[origin - 1843]
            assert high.max() < intervals.HIGHEST and high.min() > 0, (model, origin)
    assert NUMBERS.max() < 200


@pytest.mark.parametrize("model, horizon", [("LSTM", 5), ("seasonal", 12)])
def test_the_errors_are_drawn_for_all_and_the_seeds_for_one(by_horizon, model, horizon):
    by_horizon.value = {"horizon": horizon, "model": model}
    top, bottom = by_horizon._drawing.fig.axes
    curves = [line for line in bottom.get_lines() if len(line.get_xdata()) == 12]
    for name, line in zip(NAMES, curves, strict=True):
        np.testing.assert_allclose(line.get_ydata(), forecast.all_errors()[name])
        assert line.get_linewidth() == (3 if name == model else 1.3)
        assert 14 < line.get_ydata().min() and line.get_ydata().max() < 105, "inside the axis"
    [band] = bottom.patches
    assert band.get_visible() == (model in forecast.CELLS)
    shown = drawn(top)
    np.testing.assert_allclose(
        shown["forecast"].get_ydata(),
        [said(model, y - horizon, horizon) for y in range(1921, 2009)],
    )
    sentence = by_horizon._picture["sentence"]
    assert f"misses by {forecast.all_errors()[model][horizon - 1]:.1f}" in sentence
    if model in forecast.CELLS:
        alone = forecast.errors(forecast.by_seed(model))
        np.testing.assert_allclose(band.get_xy()[:12, 1], alone.min(axis=0))
        np.testing.assert_allclose(band.get_xy()[12:24, 1], alone.max(axis=0)[::-1])
        low, high = alone[:, horizon - 1].min(), alone[:, horizon - 1].max()
        assert f"one network alone by {low:.1f} to {high:.1f}" in sentence


@pytest.mark.parametrize("method", intervals.METHODS)
@pytest.mark.parametrize("model, horizon", [("autoregression", 1), ("RNN", 8)])
def test_the_coverage_is_drawn_with_its_uncertainty(measured, model, horizon, method):
    measured.value = {"horizon": horizon, "model": model, "method": method}
    top, bottom = measured._drawing.fig.axes
    lines = drawn(top)
    hits = [
        intervals.covered(model, level, method)[:, horizon - 1].sum() for level in intervals.LEVELS
    ]
    np.testing.assert_allclose(lines["_now"].get_ydata(), [100 * k / 88 for k in hits])
    thick, thin = (lines[name].get_ydata().reshape(-1, 3)[:, :2] for name in ("_all", "_few"))
    expected = [intervals.binomial_interval(count, 88) for count in hits]
    np.testing.assert_allclose(thick, 100 * np.array(expected))
    np.testing.assert_allclose(lines["_all"].get_xdata(), 100 * np.repeat(intervals.LEVELS, 3))
    wider = np.ptp(thin, axis=1) - np.ptp(thick, axis=1)
    assert np.allclose(wider, 0) if horizon == 1 else wider.min() > 5
    low, high = top.get_ylim()
    assert low <= thin.min() and thin.max() <= high
    widths = [bar.get_width() for bar in bottom.patches]
    expected = [intervals.mean_width(m, 0.9, method)[horizon - 1] for m in intervals.MODELS]
    np.testing.assert_allclose(widths, expected)
    text = bottom.texts[intervals.MODELS.index(model)]
    assert (
        text.get_text()
        == f"{expected[intervals.MODELS.index(model)]:.0f}, holds {hits[4] / 88:.0%}"
    )
    lit = forecast.LOOKS[model][0]
    colors = [plots.mpl.colors.to_hex(bar.get_facecolor()) for bar in bottom.patches]
    assert [m for m, c in zip(intervals.MODELS, colors, strict=True) if c == lit] == [model]
    assert f"{hits[4]} hold, {hits[4] / 88:.0%};" in measured._picture["sentence"]


def test_the_page_marks_the_lines_it_speaks_of():
    page = Path(__file__).parents[1].joinpath("notebooks", "16_series.ipynb").read_text("utf-8")

    def marked(name: str, module) -> list[str]:
        option = rf":pyobject: {name}\\n.*?:emphasize-lines: ([\d, ]+)"
        places = re.search(option, page, re.DOTALL).group(1).split(",")
        code = Path(module.__file__).read_text("utf-8")
        lines = code[code.index(f"def {name}(") :].splitlines()
        return [lines[int(place) - 1].strip() for place in places]

    assert marked("weights", forecast) == [
        "answers = np.arange(FIRST + MOST + horizon - 1, last + 1)"
    ]
    [walk] = marked("walk", forecast)
    assert walk.startswith("return np.concatenate(") and "blocks()" in walk
    ceiling, ranked = marked("half_width", intervals)
    assert ceiling.startswith("k = ceil(") and ranked.startswith("return float(sizes[k - 1])")
