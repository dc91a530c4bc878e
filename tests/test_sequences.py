"""Chapter 01's examples, forecasts and influences, against loops that share nothing with them."""

import inspect
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rnn_teach import RNN, Network, Readout, bptt, plots, tasks
from rnn_teach.figures import sequences, windows
from rnn_teach.seq2seq import EncoderDecoder

YEARS, NUMBERS = tasks.sunspots()
EXAMPLES = list(product(sequences.SIZES, sequences.LENGTHS))
PAGE = Path(__file__).parents[1].joinpath("notebooks", "01_sequences.ipynb").read_text("utf-8")


def weighted_sum(window, year, series=NUMBERS):
    """What a window says of a year, term by term."""
    *weights, bias = windows.fitted(window)
    return bias + sum(w * series[year - 1700 - window + k] for k, w in enumerate(weights))


def typical_miss(said, years):
    return np.sqrt(
        np.mean([(s - NUMBERS[y - 1700]) ** 2 for s, y in zip(said, years, strict=True)])
    )


# Order and distance


def test_names_with_the_same_letters_are_all_of_them():
    groups, names = sequences.same_letters(), tasks.given_names()
    spelled = {"".join(sorted(name)) for name in names}
    assert sum(map(len, groups)) - len(groups) == len(names) - len(spelled)
    assert all(len({"".join(sorted(name)) for name in group}) == 1 for group in groups)
    assert all(len(group) > 1 for group in groups)


def test_every_bracket_is_measured_to_its_own_partner():
    text = tasks.english_text()
    distances = sequences.bracket_distances(text)
    assert len(distances) == text.count(")")
    ends = [place for place, character in enumerate(text) if character == ")"]
    for end, distance in zip(ends, distances, strict=True):
        between = text[end - distance + 1 : end]
        assert text[end - distance] == "(" and between.count("(") == between.count(")")


# Shapes


@pytest.fixture(scope="module")
def figure():
    return sequences.shapes()


@pytest.mark.parametrize("shape, T", EXAMPLES)
def test_every_example_is_in_the_data_and_fits_its_network(shape, T):
    inputs, outputs, encoded = sequences.example(shape, T)
    read, said = "".join(inputs), "".join(outputs)
    D, K = sequences.SIZES[shape]
    if shape == "one to one":
        assert [float(read), float(said)] == [NUMBERS[2007 - 1700], NUMBERS[2008 - 1700]]
    elif shape == "many to many, aligned":
        assert len(inputs) == T and all(a == b for a, b in zip(inputs[1:], outputs, strict=False))
        assert read + said[-1] in tasks.english_text()
        assert D == K == tasks.characters(tasks.english_text()).size
    elif shape == "encoder-decoder":
        question, answer = read[:T], said.removesuffix("↵")
        assert encoded == T == len(question) and outputs[:T] == [""] * T
        assert read[T:] == "↵" + answer, "the decoder reads its own answer, one step late"
        assert question in tasks.given_names("male") and answer in tasks.given_names("female")
        assert D == K == tasks.characters("".join(tasks.given_names()) + tasks.END).size
    else:
        name, kind = (said, read) if shape == "one to many" else (read, said)
        assert len(name) == len(inputs) == len(outputs) == T
        assert name == next(n for n in tasks.given_names(kind) if len(n) == T)
        assert [D, K] == ([2, 27] if shape == "one to many" else [27, 2])


@pytest.mark.parametrize("shape", sequences.SIZES)
def test_the_parameters_of_a_shape_are_those_of_layers_of_its_size(shape):
    D, K = sequences.SIZES[shape]
    H, rng = sequences.H, np.random.default_rng(0)
    readout = H * K + K
    if shape == "one to one":
        expected = D * H + H + readout
    elif shape == "encoder-decoder":
        expected = (D * H + H * H + H) + (K * H + H * H + H) + readout
    else:
        expected = D * H + H * H + H + readout
        network = sequences.network(shape)
        x = rng.normal(size=(7, 3, D))
        assert bptt(network, x, np.zeros((7, 3), int)).y.shape == (7, 3, K)
    assert sequences.size(sequences.network(shape)) == expected
    assert isinstance(sequences.network(shape), EncoderDecoder) == (shape == "encoder-decoder")


@pytest.mark.parametrize("shape, T", EXAMPLES)
def test_the_arrows_are_what_is_read_said_and_handed_on(figure, shape, T):
    figure.shape, figure.T = shape, T
    inputs, outputs, encoded = sequences.example(shape, T)
    lines = zip(sequences.COLORS, figure._drawing.fig.axes[0].get_lines(), strict=False)
    arrows = {name: np.isnan(line.get_xdata()).sum() // 2 for name, line in lines}  # 2 gaps each
    handed_on = len(inputs) - 1
    assert arrows == {
        "W_x": sum(symbol != "" for symbol in (inputs[:encoded] if encoded else inputs)),
        "W_h": encoded - 1 if encoded else handed_on,
        "W_y": sum(symbol != "" for symbol in outputs),
        "V_x": len(inputs) - encoded if encoded else 0,
        "V_h": len(inputs) - encoded if encoded else 0,
    }
    shown = {text.get_text() for text in figure._drawing.fig.axes[0].texts if text.get_visible()}
    assert shown & {*sequences.COLORS} == {name for name in arrows if arrows[name]}


@pytest.mark.parametrize("shape, T", EXAMPLES)
def test_the_parameters_with_and_without_sharing(figure, shape, T):
    figure.shape, figure.T = shape, T
    (D, K), H, (_, outputs, encoded) = (
        sequences.SIZES[shape],
        sequences.H,
        sequences.example(shape, T),
    )
    steps = len(outputs)
    expected = sum(output != "" for output in outputs) * (H * K + K)
    expected += steps * H + (0 if shape == "one to one" else steps * H * H)
    expected += encoded * D * H + (steps - encoded) * (K if encoded else D) * H
    assert sequences.size_unshared(shape, T) == expected
    lines = figure._drawing.fig.axes[1].get_lines()
    unshared, shared, unshared_now, shared_now = (line.get_xydata() for line in lines)
    size = sequences.size(sequences.network(shape))
    now = 1 if shape == "one to one" else T
    assert unshared_now.tolist() == [[now, expected]] and shared_now.tolist() == [[now, size]]
    assert {*shared[:, 1]} == {size}, "level, whatever T"
    assert all(y == sequences.size_unshared(shape, int(t)) for t, y in unshared)
    assert unshared[:, 0].tolist() == ([1] if shape == "one to one" else [3, 4, 5, 6, 7, 8])


@pytest.mark.parametrize("shape, T", EXAMPLES)
def test_the_letters_stand_at_their_states_and_inside_the_picture(figure, shape, T):
    figure.shape, figure.T = shape, T
    ax = figure._drawing.fig.axes[0]
    states = ax.get_lines()[-1].get_xdata()
    inputs, outputs, _ = sequences.example(shape, T)
    for row, symbols in ((0, inputs), (2, outputs)):
        texts = [text for text in ax.texts if text.get_position()[1] == row]
        shown = {t.get_position()[0]: t.get_text() for t in texts if t.get_text()}
        of_row = min(shown)  # the letter x or y, left of all states
        assert of_row < states.min() and shown.pop(of_row) == "x y"[row]
        assert shown == {at: s for at, s in zip(states, symbols, strict=True) if s}
    low, high = ax.get_xlim()
    assert low < states.min() - 0.3 and states.max() + 0.3 < high
    assert np.all(np.diff(states) >= 1), "room for a letter and for an arrow"


def test_the_sentence_of_the_shapes(figure):
    figure.shape, figure.T = "many to one", 5
    assert figure._picture["sentence"] == (
        "Many to one: the letters of “james” are read, and one answer is given at the end: male. "
        "The network has 738 parameters at every T; with weights of its own for each step it "
        "would have 3,554 at T = 5."
    )
    figure.shape, figure.T = "encoder-decoder", 4
    assert "all of “paul” is read, then “pauline” is said, and its end ↵." in repr(figure)
    figure.shape = "one to one"
    assert "2007, 7.5, is read and that of 2008, 2.9, said. There is one step" in repr(figure)


# A window


@pytest.mark.parametrize("window", [0, 1, 2, 9, 60])
def test_a_forecast_is_a_weighted_sum_of_the_years_before(window):
    years = windows.HELD_OUT
    expected = [weighted_sum(window, year) for year in years]
    np.testing.assert_allclose(windows.forecast(window, years), expected, rtol=1e-10)
    assert len(windows.fitted(window)) == window + 1


def test_the_weights_are_those_of_the_training_years_alone(monkeypatch):
    before = windows.fitted(9)
    changed = np.where(YEARS > 1920, 0, NUMBERS)
    monkeypatch.setattr(windows, "sunspots", lambda: (YEARS, changed))
    np.testing.assert_array_equal(windows.fitted.__wrapped__(9), before)
    changed[1850 - 1700] += 50
    assert not np.allclose(windows.fitted.__wrapped__(9), before, rtol=1e-3)
    assert not {*windows.TRAINING} & {*windows.HELD_OUT} and max(windows.TRAINING) == 1920
    assert windows.HELD_OUT.tolist() == list(range(1921, 2009))


@pytest.mark.parametrize("window", [1, 2, 9, 60])
def test_no_other_weights_have_a_smaller_error_in_training(window):
    least, rng = windows.errors()["training"][window], np.random.default_rng(0)
    seen = windows.inputs(NUMBERS, windows.TRAINING, window)
    for size in (1e-3, 1e-2, 1e-1):
        moved = windows.fitted(window) + size * rng.normal(size=window + 1)
        assert typical_miss(seen @ moved, windows.TRAINING) > least


def test_the_errors_are_typical_misses():
    errors = windows.errors()
    for window in (0, 3, 60):
        for kind, years in (("training", windows.TRAINING), ("held out", windows.HELD_OUT)):
            said = [weighted_sum(window, year) for year in years]
            assert errors[kind][window] == pytest.approx(typical_miss(said, years))
    last_year = NUMBERS[windows.HELD_OUT - 1701]
    assert windows.baselines()["persistence"] == pytest.approx(
        typical_miss(last_year, windows.HELD_OUT)
    )
    # the mean is what a window of no years says
    assert windows.baselines()["mean"] == pytest.approx(errors["held out"][0])


def test_shuffling_keeps_the_numbers_and_loses_their_order():
    said = windows.shuffled_forecasts(1)
    np.testing.assert_allclose(said, np.tile(windows.forecast(1, windows.HELD_OUT), (5, 1)))
    errors = windows.errors()
    assert np.all(errors["shuffled"][2:] > 1.5 * errors["held out"][2:])
    first, *others = windows.shuffled_forecasts(9)
    assert all(np.abs(other - first).max() > 1 for other in others), "each shuffle is another one"


def test_what_a_reader_should_see_in_the_errors():
    errors, best = windows.errors(), windows.errors()["held out"].argmin()
    assert np.all(np.diff(errors["training"]) < 1e-9)
    assert 2 < best < 11 and errors["held out"][60] > errors["held out"][2]


@pytest.mark.parametrize("window, order", list(product([0, 1, 9, 60], ["as counted", "shuffled"])))
def test_window_length_draws_what_was_measured(window, order):
    figure = windows.window_length()
    figure.window, figure.order = window, order
    shuffled, errors = order == "shuffled", windows.errors()
    color = plots.GOLD if shuffled else plots.ACCENT
    top, bottom = figure._drawing.fig.axes
    (line,) = [a for a in top.get_lines() if a.get_color() == color and len(a.get_xdata()) > 1]
    expected = (
        windows.shuffled_forecasts(window)[0]
        if shuffled
        else windows.forecast(window, windows.HELD_OUT)
    )
    np.testing.assert_allclose(line.get_xydata(), np.c_[windows.HELD_OUT, expected])
    [box] = top.patches
    assert (box.get_x() + box.get_width(), box.get_width()) == (1956.5, window)
    now, in_training = bottom.get_lines()[-2:]
    kind = "shuffled" if shuffled else "held out"
    assert now.get_xydata().tolist() == [[window, errors[kind][window]]]
    assert in_training.get_xydata().tolist() == [[window, errors["training"][window]]]
    assert in_training.get_visible() != shuffled
    shown = {text.get_text() for text in bottom.texts}
    assert shown == {f"{name} {values[window]:.1f}" for name, values in errors.items()} | {
        f"{name} {value:.1f}" for name, value in windows.baselines().items()
    }
    heights = np.sort([text.get_position()[1] for text in bottom.texts])
    assert np.diff(heights).min() > 5, "no two labels closer than a line of text"


def test_the_sentences_of_window_length():
    figure = windows.window_length()
    figure.window = 9
    assert figure._picture["sentence"] == (
        "Window of 9 years, 10 parameters: the forecasts miss by 14.8 in training and by 18.1 in "
        "the held-out years; last year's number misses those by 30.4."
    )
    figure.order = "shuffled"
    assert figure._picture["sentence"] == (
        "Window of 9 years, 10 parameters, its numbers in random order: the forecasts of the "
        "held-out years miss by 55.1; in the right order it is 18.1."
    )
    figure.window = 0
    assert figure._picture["sentence"].startswith("Window of 0 years, 1 parameter, its")


# Influence


@pytest.mark.parametrize("window", [1, 9, 60])
def test_the_influence_on_a_window_is_the_weight_and_then_exactly_nothing(window):
    influence = windows.window_influence(window)
    for k in range(1, 61):
        up, down = NUMBERS.copy(), NUMBERS.copy()
        up[2008 - 1700 - k] += 1
        down[2008 - 1700 - k] -= 1
        moved = (weighted_sum(window, 2008, up) - weighted_sum(window, 2008, down)) / 2
        assert influence[k - 1] == pytest.approx(abs(moved), rel=1e-9, abs=1e-12)
        assert (influence[k - 1] == 0) == (k > window)


@pytest.mark.parametrize("updates", [0, windows.UPDATES])
def test_the_influence_on_the_network_by_the_complex_step(updates):
    network, year = windows.recurrent(updates), np.arange(1921, 2009)
    found = windows.recurrent_influence(updates)
    assert found.shape == (60,) and found.min() > 0
    read = NUMBERS[:-1, None, None] / 100
    for k in (1, 2, 30, 60):
        sizes = []
        for y in year:
            moved = read[: y - 1700].astype(complex)  # all that is known when it speaks
            moved[y - 1700 - k] += 1e-100j
            h = network.cell.forward(moved).final
            sizes.append(abs((h @ network.readout.W_y).item().imag) / 1e-100)
        assert found[k - 1] == pytest.approx(np.median(sizes), rel=1e-6)


def test_the_network_reads_all_before_the_year_and_nothing_of_it():
    network, cut = windows.recurrent(0), NUMBERS[: 1950 - 1700, None, None] / 100
    h = network.cell.forward(cut).final
    said = 100 * (h @ network.readout.W_y + network.readout.b_y).item()
    found = windows.recurrent_forecast(network, np.array([1950]))
    assert found.item() == pytest.approx(said)


def test_the_network_has_learned_from_the_training_years_alone(monkeypatch):
    rng = np.random.default_rng(1)
    start = Network(RNN(1, 8, rng=rng), Readout(8, 1, rng=rng))
    for name, p in windows.recurrent(0).parameters.items():
        np.testing.assert_array_equal(p, start.parameters[name])
    changed = np.where(YEARS > 1920, 0, NUMBERS)
    once = windows.recurrent.__wrapped__(3).parameters
    monkeypatch.setattr("rnn_teach.problems.series.sunspots", lambda: (YEARS, changed))
    for name, p in windows.recurrent.__wrapped__(3).parameters.items():
        np.testing.assert_array_equal(p, once[name])
        assert not np.array_equal(p, start.parameters[name])


@pytest.mark.parametrize("window, back", [(1, 1), (9, 9), (9, 10), (60, 60), (2, 30)])
def test_the_influence_figure_draws_what_was_measured(window, back):
    figure = windows.influence()
    figure.window, figure.back = window, back
    k, by_window = np.arange(1, 61), windows.window_influence(window)
    trained = windows.recurrent_influence(windows.UPDATES)
    null, line, dots, now, now_trained = figure._drawing.fig.axes[0].get_lines()[1:]
    np.testing.assert_array_equal(line.get_xydata(), np.c_[k, trained])
    np.testing.assert_array_equal(null.get_xydata(), np.c_[k, windows.recurrent_influence(0)])
    np.testing.assert_array_equal(dots.get_xydata(), np.c_[k, np.maximum(by_window, 1e-16)])
    assert now.get_xydata().tolist() == [[back, max(by_window[back - 1], 1e-16)]]
    assert now_trained.get_xydata().tolist() == [[back, trained[back - 1]]]
    foot = figure._drawing.fig.axes[0].get_yticklabels()[0]
    assert (foot.get_position()[1], foot.get_text()) == (1e-16, "0")
    assert min(trained.min(), windows.recurrent_influence(0).min()) > 1e-15, "above the foot"


def test_the_sentences_of_the_influence_figure():
    figure = windows.influence()
    figure.back = 30
    assert figure._picture["sentence"] == (
        "The number 30 years back has an influence of exactly 0 on the forecast from a window of "
        "9 years, and of about 10⁻⁷ on that of the trained recurrent network."
    ).replace("10⁻⁷", plots.power_of_ten(windows.recurrent_influence(windows.UPDATES)[29]))
    figure.window, figure.back = 1, 1
    assert "The number 1 year back has an influence of" in figure._picture["sentence"]
    assert "exactly" not in figure._picture["sentence"]


# The page


def test_the_page_marks_the_lines_that_matter():
    def marked(function):
        shown = inspect.getsource(function).splitlines()
        name = function.__name__
        places = re.search(rf":pyobject: {name}\\n.*?emphasize-lines: ([\d, ]+)", PAGE, re.DOTALL)
        return [shown[int(place) - 1] for place in places.group(1).split(",")]

    place, rows = marked(windows.inputs)
    assert "years[:, None]" in place and "series[place]" in rows
    [least_squares] = marked(windows.fitted)
    assert "lstsq" in least_squares
    moved, said, size = marked(windows.window_influence)
    assert "1e-30j" in moved and "inputs(series" in said and "np.abs" in size
