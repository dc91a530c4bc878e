"""Chapter 04's networks, numbers and figures, on runs short enough for a test."""

import inspect
import math
import re
from itertools import islice
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rnn_teach import functional, plots, sampling, tasks, training
from rnn_teach.figures import language
from rnn_teach.live import payload
from rnn_teach.live.controls import states
from rnn_teach.live.states import compute

PAGE = Path(__file__).parents[1] / "notebooks" / "04_language.ipynb"


def rng(seed: int = 4) -> np.random.Generator:
    return np.random.default_rng(seed)


def short(data, steps: int = 60):
    return language.train(data(rng()), H=24, steps=steps, rng=rng())


@pytest.fixture(scope="module")
def run():
    return short(language.english)


@pytest.fixture(scope="module")
def people():
    return short(language.names, steps=150)


# The data


@pytest.mark.parametrize("data", [language.english, language.names])
def test_nothing_held_out_is_trained_on(data):
    vocabulary, train, held_out, batches, _ = data(rng())
    lines, held = set(train.split("\n")) - {""}, set(held_out.split("\n")) - {""}
    assert not lines & held
    assert len(held) == round((len(lines) + len(held)) / 10)
    for batch in islice(batches, 20):
        for n in range(batch.x.shape[1]):
            T = len(batch.x) if batch.lengths is None else batch.lengths[n]
            read = vocabulary.decode(batch.x[:T, n].argmax(axis=-1))
            assert read in train + train, "what is trained on is in the training text"


def test_the_exam_is_all_of_the_held_out_text():
    english, names = language.english(rng()), language.names(rng())
    assert english.measured.target.size >= len(english.held_out) - 20
    asked = names.vocabulary.encode(names.held_out)[1:]
    inside = np.arange(len(names.measured.target))[:, None] < names.measured.lengths
    np.testing.assert_array_equal(names.measured.target.T[inside.T], asked)


# The run


def test_training_is_the_same_twice_and_beats_no_memory(run):
    again = short(language.english)
    assert run.losses == again.losses
    assert (run.history.loss == again.history.loss).all()
    for name, p in run.network.parameters.items():
        assert (p == again.network.parameters[name]).all()
    assert min(run.losses) == 0 and max(run.losses) == 60
    assert run.losses[0] == pytest.approx(math.log(37), abs=0.05)
    assert run.losses[60] < run.baselines["unigram"]


def test_a_snapshot_stays_as_it_was(run):
    first, last = run.snapshots[0].parameters, run.snapshots[60].parameters
    for name, p in run.network.parameters.items():
        assert (last[name] == p).all() and (first[name] != p).any()
        assert first[name] is not p and last[name] is not p


def test_the_network_and_the_baselines_sit_the_same_exam(people):
    x, target, lengths, _ = people.data.measured
    bigram = tasks.bigram(
        people.data.vocabulary.encode(people.data.train), people.data.vocabulary.size
    )
    inside = np.arange(len(x))[:, None] < lengths
    losses = -np.log(bigram[x.argmax(axis=-1), target])[inside]
    assert losses.mean() == pytest.approx(people.baselines["bigram"])


def test_scores_are_the_measured_ones(run):
    rows = [line.rsplit(maxsplit=2) for line in language.scores(run).splitlines()[1:]]
    table = {model: (loss, width) for model, loss, width in rows}
    assert list(table) == ["uniform", "unigram", "bigram", "untrained RNN", "trained RNN"]
    assert table["uniform"] == ("3.61", "37.0")
    assert table["trained RNN"] == (f"{run.losses[60]:.2f}", f"{math.exp(run.losses[60]):.1f}")


def test_first_below_is_the_first(run):
    k = language.first_below(run, "unigram")
    assert run.losses[k] < run.baselines["unigram"]
    assert all(run.losses[j] >= run.baselines["unigram"] for j in run.losses if j < k)


def test_the_gradient_check_fails_for_a_wrong_gradient(run, monkeypatch):
    one, two = language.check_gradient(run, rng=rng())
    assert one.error < 1e-7 and two.error < 1e-12

    real = language.bptt

    def wrong(*args, **options):
        result = real(*args, **options)
        result.grads["cell.W_h"] *= 1.001
        return result

    monkeypatch.setattr(language, "bptt", wrong)
    with pytest.raises(AssertionError, match=r"cell\.W_h"):
        language.check_gradient(run, rng=rng())


def test_invented_names_are_names(people):
    names = language.invented(people, 30, temperature=0.8, rng=rng())
    assert len(names) == 30 and len(set(names)) > 15
    assert all(set(name) <= set(people.data.vocabulary.symbols) - {"\n"} for name in names)
    assert names == language.invented(people, 30, temperature=0.8, rng=rng())
    assert np.mean([len(name) for name in names]) == pytest.approx(6, abs=3)


def test_entropy_of_a_fair_choice_is_the_log_of_its_width():
    assert language.entropy(np.full(8, 1 / 8)) == pytest.approx(math.log(8))
    assert language.entropy(np.eye(8)[2]) == 0


# The figures


def lines(figure, axes=0):
    return figure._drawing.fig.axes[axes].get_lines()


def texts(figure):
    return [text.get_text() for ax in figure._drawing.fig.axes for text in ax.texts]


@pytest.mark.parametrize("context", language.CONTEXTS)
def test_the_bars_are_the_softmax_of_the_scaled_logits(run, context):
    network, vocabulary = run.network, run.data.vocabulary
    h = np.zeros(24)
    for k in vocabulary.encode("\n" + context):
        h = np.tanh(network.cell.W_x[k] + h @ network.cell.W_h + network.cell.b)
    y = h @ network.readout.W_y + network.readout.b_y
    figure = language.temperature(run)
    figure.context = context
    bars = next(line for line in lines(figure) if line.get_color() == plots.RNN)
    for tau in (0.0, 0.3, 2.0):
        figure.temperature = tau
        e = np.exp((y - y.max()) / tau) if tau else np.arange(37) == y.argmax()
        expected = e / e.sum()
        np.testing.assert_allclose(bars.get_ydata()[1::3], expected, atol=1e-12)
        assert (bars.get_ydata()[0::3] == 0).all(), "a bar stands on the axis"
        best = vocabulary.symbols[int(np.argmax(expected))]
        assert f"“{language.SHOWN.get(best, best)}” with {max(expected):.1%}" in repr(figure)
        assert any(text.startswith(context.strip()) for text in texts(figure))


def test_the_dashes_are_the_unigram(run):
    figure = language.temperature(run)
    dashes = next(line for line in lines(figure) if line.get_marker() == "_")
    counts = [run.data.train.count(symbol) for symbol in run.data.vocabulary.symbols]
    expected = (np.array(counts) + 1) / (sum(counts) + 37)
    np.testing.assert_allclose(dashes.get_ydata(), expected)


def test_the_clock_shows_the_loss_of_the_moment_and_its_baselines(run):
    figure = language.training_clock(run)
    dot = next(line for line in lines(figure) if line.get_marker() == "o")
    said = set()
    for updates, loss in run.losses.items():
        figure.updates = updates
        assert dot.get_xydata().tolist() == [[updates, loss]]
        assert f"{loss:.2f} nats" in repr(figure)
        said.add(texts(figure)[-1])
    assert len(said) > len(run.losses) / 2, "the text changes with the network"
    levels = {line.get_ydata()[0] for line in lines(figure) if line.get_linestyle() == "--"}
    assert levels == set(run.baselines.values())
    solid = next(
        line for line in lines(figure) if line.get_linestyle() == "-" and len(line.get_xdata()) > 2
    )
    assert solid.get_xydata().tolist() == [[k, loss] for k, loss in sorted(run.losses.items())]


@pytest.mark.parametrize("make", [language.temperature, language.training_clock])
def test_a_figure_keeps_its_budget_and_its_text_inside(run, make):
    figure = make(run)
    packed = compute(figure._drawing, figure._controls, figure._draw)
    assert len(packed.pictures) <= payload.MAX_BYTES
    fig = figure._drawing.fig
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    for state in list(states(figure._controls))[::7]:
        figure.draw(state)
        for ax in fig.axes:
            for text in ax.texts:
                box = text.get_window_extent(renderer)
                assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()


# The page


def marked(page: str, obj: object, start: str = "") -> list[str]:
    """The lines that the page marks in the code it shows of ``obj`` from the line ``start`` on."""
    shown = inspect.getsource(obj)
    shown = shown[shown.index(start) :].splitlines()
    options = page.split(f":pyobject: {obj.__name__}\n" if not start else f"{start}", 1)[1]
    places = re.search(r":emphasize-lines: ([\d, ]+)", options).group(1)
    return [shown[int(place) - 1] for place in places.split(",")]


def test_the_marked_lines_are_the_ones_the_prose_speaks_of():
    page = "\n".join(cell.source for cell in nbformat.read(PAGE, 4).cells)
    pairs, counts, shares = marked(page, tasks.bigram)
    assert "bincount" in pairs and "smoothing" in counts and "sum(axis=1" in shares
    loss, minus_target = marked(page, functional.cross_entropy, "a = _shifted(logits)")
    assert "np.log(total)" in loss and "at_target - 1" in minus_target
    takes, keeps = marked(page, training.fit, "for step, (x, target, lengths, carry)")
    assert "state=state if carry" in takes and "state, done = result.trace.final" in keeps
    greedy, softmax = marked(page, sampling.next_symbol)
    assert "argmax" in greedy and "logits / temperature" in softmax
    start = "logits, state = read(network, vocabulary, start)"
    heights, drawn, again = marked(page, sampling.sample, start)
    assert "cumsum" in heights and "rng.random()" in drawn and "symbol, state)" in again
    (check,) = marked(page, language.check_gradient)
    assert "return check(" in check
