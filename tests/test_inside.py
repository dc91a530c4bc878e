"""Chapter 09's reader, its gates over text, and the search for a cell that tracks something."""

import inspect
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import rnn_teach
from rnn_teach import LSTM, plots
from rnn_teach.figures import inside, language, tracking
from rnn_teach.live import payload
from rnn_teach.live.controls import states
from rnn_teach.live.states import compute

PAGE = Path(__file__).parents[1] / "notebooks" / "09_inside.ipynb"
H = 20


def rng(seed: int = 4) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def reader():
    return inside.train(language.english(rng()), H=H, steps=30, rng=rng())


@pytest.fixture(scope="module")
def result(reader):
    return tracking.search(reader, rng=rng())


# The reader


def test_training_is_seeded_and_leaves_the_untrained_network_alone(reader):
    again = inside.train(language.english(rng()), H=H, steps=30, rng=rng())
    assert reader.losses == again.losses
    assert reader.losses["trained"] < 3.2 and reader.losses["untrained"] > 3.5
    fresh = LSTM(37, H, rng=rng(), forget_bias=1.0)
    for name, p in fresh.parameters.items():
        assert (p == reader.untrained.cell.parameters[name]).all()
        assert (p != reader.trained.cell.parameters[name]).any()


def test_a_trace_belongs_to_its_network_and_to_the_text(reader):
    assert len(reader.text) == 20 and set(map(len, reader.text)) == {837}
    assert all(stream in reader.data.held_out + reader.data.held_out for stream in reader.text)
    for name, network in (("untrained", reader.untrained), ("trained", reader.trained)):
        n, start = inside.found(reader)
        x = reader.data.vocabulary.one_hot(reader.data.vocabulary.encode(reader.text[n]))
        expected = network.cell.forward(x[:, None])
        np.testing.assert_allclose(reader.traces[name].f[:, n], expected.f[:, 0], atol=1e-4)
        assert n >= 10 and reader.text[n][start:].startswith(inside.PASSAGE)


def test_a_phrase_that_is_not_there_is_named(reader):
    with pytest.raises(ValueError, match=r"phrase: .* got 'no such words'"):
        inside.found(reader, "no such words")


@pytest.mark.parametrize("bias", [-1.0, 1.0, 4.0])
def test_a_gate_that_stands_still_has_the_half_life_of_its_power(bias):
    cell = LSTM(2, 3, rng=rng(), forget_bias=bias)
    cell.W_x[...] = cell.W_h[...] = 0
    f = 1 / (1 + np.exp(-bias))
    lives = inside.memory(cell.forward(np.ones((7, 2, 2))))
    np.testing.assert_allclose(f**lives, 0.5)


def test_a_gate_that_moves_has_the_half_life_of_its_product():
    cell = LSTM(1, 1, rng=rng())
    cell.W_x[...] = cell.W_h[...] = 0
    cell.W_x[0, 1] = 2
    trace = cell.forward(np.resize([1.0, -1.0], (10, 1, 1)))
    (life,) = inside.memory(trace)
    assert trace.f.prod() == pytest.approx(0.5 ** (10 / life))


def test_ends_counts_places_and_units():
    cell = LSTM(1, 4, rng=rng())
    cell.W_x[...] = cell.W_h[...] = 0
    cell.W_x[0, 4:8] = [0, 50, -50, 0]  # forget gates: at 1/2; both ends; both ends;
    cell.b[7] = -50  # and shut all the time
    x = np.resize([1.0, -1.0], (10, 1, 1))
    shut, wide, both = inside.ends(cell.forward(x))["f"]
    assert (shut, wide, both) == (0.5, 0.25, 2)


def test_rows_go_from_the_longest_memory_to_the_shortest(reader):
    lives = inside.memory(reader.traces["trained"])
    units = inside.rows(reader)
    assert len(set(units)) == inside.ROWS
    assert lives[units[0]] == lives.max() and lives[units[-1]] == lives.min()
    assert (np.diff(lives[units]) <= 0).all()


def test_shades_are_the_gates_and_c_in_its_own_measure(reader):
    trace = reader.traces["trained"]
    for part in "ifoh":
        np.testing.assert_array_equal(inside.shades(trace, part), getattr(trace, part))
    c = trace.c.astype(float)
    apart = (c - c.mean(axis=(0, 1))) / c.std(axis=(0, 1))
    np.testing.assert_allclose(inside.shades(trace, "c"), np.clip(apart / 2, -1, 1), atol=1e-9)


# The gates over text


def tiles_of(figure) -> dict[tuple[int, float], set[tuple[float, float]]]:
    """The centers of the tiles, by the sign and the darkness of their shade."""
    drawn = {}
    for patch in figure._drawing.fig.axes[0].patches:
        sign = {plots.LSTM: 1, plots.RNN: -1}[plots.mpl.colors.to_hex(patch.get_facecolor())]
        corners = patch.get_path().vertices.reshape(-1, 5, 2)[:, :4]
        drawn[sign, patch.get_alpha()] = {tuple(at) for at in corners.mean(axis=1).round(6)}
    return drawn


@pytest.mark.parametrize("part", list(inside.PARTS))
@pytest.mark.parametrize("network", ["trained", "untrained"])
def test_a_tile_is_as_dark_as_its_number(reader, part, network):
    figure = inside.gates_over_text(reader)
    figure.value = {"part": part, "network": network}
    n, start = inside.found(reader)
    values = inside.shades(reader.traces[network], part)[start : start + 48, n]
    drawn = tiles_of(figure)
    for row, unit in enumerate(inside.rows(reader)):
        for t in range(48):
            value, place = values[t, unit], (float(t), float(inside.ROWS - 1 - row))
            shades = [shade for shade, places in drawn.items() if place in places]
            if abs(value) <= 1 / 16:
                assert not shades
            else:
                ((sign, dark),) = shades
                assert sign == np.sign(value) and abs(dark - abs(value)) <= 1 / 16 + 1e-9


def test_the_symbol_is_framed_and_its_units_are_counted(reader):
    figure = inside.gates_over_text(reader)
    n, start = inside.found(reader)
    order = np.argsort(-inside.memory(reader.traces["trained"]), kind="stable")
    top, below = figure._drawing.fig.axes
    for at in (0, 21, 47):
        figure.value = {"at": at, "part": "f", "network": "trained"}
        frame = top.get_lines()[0].get_xdata()
        assert (min(frame), max(frame)) == (at - 0.5, at + 0.5)
        f = reader.traces["trained"].f[start + at, n]
        bars, dashes = below.get_lines()
        np.testing.assert_allclose(bars.get_ydata()[1::3], f[order], atol=1e-6)
        null = reader.traces["untrained"].f[start + at, n, order]
        np.testing.assert_allclose(dashes.get_ydata(), null, atol=1e-6)
        assert f"above 0.9 in {(f > 0.9).sum()} of {H} units" in repr(figure)
        assert repr(figure).endswith(f"below 0.1 in {(f < 0.1).sum()}.>")
        symbol = inside.SHOWN.get(inside.PASSAGE[at], inside.PASSAGE[at])
        assert f"at “{symbol}” after" in repr(figure)


# The search


def test_features_are_what_a_slow_reader_would_note():
    text = [
        "ab (c_d) aeb, x. the sun rises and then it sets" * 20,
        "\nthe bcd. __a (is it, by any chance, so or not? no" * 20,
    ]
    text = [stream[:900] for stream in text]
    tracked = tracking.features(text)
    for n, stream in enumerate(text):
        for t in range(0, 900, 7):
            past = stream[: t + 1]
            assert tracked["_ lately"][t, n] == ("_" in past[-20:])
            word = re.search(r"[a-z]*\Z", past).group()
            assert tracked["letters since the word began"][t, n] == len(word)
            assert tracked["in a word with a-"][t, n] == word.startswith("a")
            sentence = re.search(r"[^.\n]*\Z", past).group()
            since = np.log1p(len(sentence))
            assert tracked["symbols since the sentence began"][t, n] == pytest.approx(since)
            vowel = re.search(r"[^aeiou]*\Z", past).group()
            assert tracked["letters since a vowel"][t, n] == len(vowel)
            opened = re.search(r"\([^)\n]*\Z", past) is not None
            assert tracked["inside brackets"][t, n] == opened
    assert "␣ lately" not in tracked, "always true: there is nothing to track"


def test_correlations_are_those_of_what_the_present_symbol_leaves():
    draw = rng()
    symbols = np.eye(3)[draw.integers(3, size=(50, 2))]
    cells, tracked = draw.normal(size=(50, 2, 4)), draw.normal(size=(50, 2, 2))
    cells[..., 0] = 2 * tracked[..., 1] + symbols @ [5.0, -9.0, 1.0]
    one_hot = symbols.reshape(-1, 3)

    def left(values):
        values = values.reshape(100, -1)
        return values - one_hot @ np.linalg.lstsq(one_hot, values, rcond=None)[0]

    expected = np.corrcoef(left(cells).T, left(tracked).T)[:4, 4:]
    r = tracking.correlations(cells, tracked, symbols)
    np.testing.assert_allclose(r, expected, atol=1e-12)
    assert r[0, 1] == pytest.approx(1)


def test_a_planted_cell_is_found_on_one_half_and_tested_on_the_other(reader):
    tracked = tracking.features(reader.text)
    k = list(tracked).index("inside brackets")
    trace = reader.traces["trained"]
    c = trace.c.copy()
    c[:, :10, 7] = -tracked["inside brackets"][:, :10] + 0.1 * rng().normal(size=(837, 10))
    c[:, 10:, 7] = rng().normal(size=(837, 10))  # ... and not on the other half
    planted = reader._replace(traces={**reader.traces, "trained": trace._replace(c=c)})
    result = tracking.search(planted, rng=rng())
    assert result.best() == (7, k) and result.best_cells("trained")[k] == 7
    assert result.searched["trained"][7, k] < -0.9 and abs(result.tested["trained"][7, k]) < 0.1
    assert tracking.best_tested(result, "trained")[k] == abs(result.tested["trained"][7, k])
    table = tracking.ranking(result, 3).splitlines()
    assert len(table) == 4 and table[1].startswith("inside brackets                     7")


def test_where_nothing_is_to_be_found_the_search_finds_little(reader, result):
    assert result.candidates == H * len(result.names) == result.searched["untrained"].size
    assert len(result.shuffled) == tracking.SHUFFLES
    best = np.abs(result.searched["trained"]).max()
    assert 0.03 < result.shuffled.min() < result.shuffled.max() < best
    again = tracking.search(reader, rng=rng())
    assert (again.shuffled == result.shuffled).all()


def test_the_picture_of_a_find_shows_the_cell_the_feature_and_the_numbers(reader, result):
    figure = tracking.tracking_cell(reader, result)
    top, below = figure._drawing.fig.axes
    n, start = inside.found(reader, tracking.PASSAGE)
    for feature, network in ((result.best()[1], "trained"), (0, "untrained")):
        figure.value = {"feature": feature, "network": network}
        unit = int(np.abs(result.searched[network][:, feature]).argmax())
        assert top.get_title(loc="left") == result.names[feature]
        assert top.get_title(loc="right") == f"cell {unit}, {network}"
        sign = np.sign(result.searched[network][unit, feature])
        c = sign * inside.shades(reader.traces[network], "c")[start : start + 176, n, unit]
        (gold,) = top.get_lines()
        line = gold.get_ydata()[~np.isnan(gold.get_ydata())]
        values = result.features[start : start + 176, n, feature]
        heights = (line - (3 - np.arange(176) // 44 - 0.5)) / 0.22
        np.testing.assert_allclose(heights, values / max(values.max(), 1), atol=1e-9)
        for (color, dark), places in tiles_of(figure).items():
            for x, y in places:
                value = c[int(x) + 44 * (3 - round(y))]
                assert np.sign(value) == color and abs(dark - abs(value)) <= 1 / 16 + 1e-9
        own = int(np.abs(result.searched["trained"][:, feature]).argmax())
        shown = [line.get_xdata()[0] for line in below.get_lines() if line.get_marker() == "o"]
        assert shown[1:] == [
            abs(r["trained"][own, feature]) for r in (result.searched, result.tested)
        ]
        assert shown[0] == tracking.best_tested(result, "untrained")[feature]
        (ticks,) = (line for line in below.get_lines() if line.get_marker() == "|")
        assert (ticks.get_xdata() == result.shuffled).all()


# Both figures


@pytest.mark.parametrize("which", ["gates", "tracking"])
def test_a_figure_keeps_its_budget_and_its_text_inside(reader, result, which):
    make = inside.gates_over_text if which == "gates" else tracking.tracking_cell
    figure = make(reader) if which == "gates" else make(reader, result)
    packed = compute(figure._drawing, figure._controls, figure._draw)
    assert len(packed.pictures) <= 100_000 <= payload.MAX_BYTES
    fig = figure._drawing.fig
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    for state in list(states(figure._controls))[::17]:
        figure.draw(state)
        for ax in fig.axes:
            for text in (*ax.texts, ax.title, ax._right_title):
                box = text.get_window_extent(renderer)
                assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()


# The page


def marked(page: str, shown: str, where: str) -> list[str]:
    """The lines that the page marks in ``shown``, the code that it includes by ``where``."""
    places = re.search(rf"{where}.*?:emphasize-lines: ([\d, ]+)", page, re.DOTALL).group(1)
    return [shown.splitlines()[int(place) - 1] for place in places.split(",")]


def test_the_page_marks_the_lines_that_the_prose_speaks_of():
    page = "\n".join(cell.source for cell in nbformat.read(PAGE, 4).cells)
    (rate,) = marked(page, inspect.getsource(inside.memory), ":pyobject: memory")
    assert "np.log(2) / -np.log(trace.f" in rate
    source = inspect.getsource(tracking.correlations)
    source = source[source.index("    one_hot = symbols") :]
    apart, product = marked(page, source, ":pyobject: correlations")
    assert "one_hot.T @ values / count" in apart and ".T @ apart(" in product
    cell = Path(rnn_teach.__file__).with_name("cells").joinpath("lstm.py").read_text("utf-8")
    start = cell.index("# then the chain")
    back = cell[start : cell.index("# the weights are shared")]
    meet, belt = marked(page, back, '"# then the chain"')
    assert "dc_t += carried_t" in meet and "np.multiply(dc_t, f_t, out=carried_prev)" in belt
    start = cell.index("h_prev, c_prev = h[0]")
    step = cell[start : cell.index("if mask is not None:", start)]
    p_i, p_f, p_o = marked(page, step, re.escape('"h_prev, c_prev = h[0]"'))
    assert "p_i * c_prev" in p_i and "p_f * c_prev" in p_f and "p_o * c_t" in p_o
    coupled = cell[cell.index("def with_forget_gate") :]
    (negative,) = marked(page, coupled, ":pyobject: with_forget_gate")
    assert "-i" in negative
