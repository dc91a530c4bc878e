"""Chapter 14: what its translators do step by step, and that its figures show just that."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import rnn_teach
from rnn_teach import plots
from rnn_teach.figures import attend, decode, translate
from rnn_teach.gradcheck import with_parameters
from rnn_teach.live import payload
from rnn_teach.live.controls import states
from rnn_teach.live.states import compute
from rnn_teach.problems.numerals import NumberWords, spelled
from rnn_teach.seq2seq import Hypothesis


@pytest.fixture(scope="module")
def translators():
    """Trained for seconds: what they say is mostly wrong, which is what a figure has to bear."""
    return translate.train(NumberWords(rng=np.random.default_rng(0)), H=32, steps=60, seed=0)


def said(*symbols: int) -> Hypothesis:
    return Hypothesis(np.array(symbols), 0.0, 0.0, None)


# Trained


def test_training_is_the_same_twice_and_leaves_the_null_untouched(translators):
    problem = translators.problem
    first, again = (translate.train(problem, H=4, steps=3, seed=7) for _ in range(2))
    for kind in translate.KINDS:
        for name, p in first.trained[kind].parameters.items():
            np.testing.assert_array_equal(p, again.trained[kind].parameters[name])
            np.testing.assert_array_equal(
                first.untrained[kind].parameters[name], again.untrained[kind].parameters[name]
            )
        assert (first.trained[kind].encoder.W_x != first.untrained[kind].encoder.W_x).any()


def test_both_kinds_differ_in_their_attention_alone():
    plain, attending = (
        translate.network(kind, 6, rng=np.random.default_rng(0)) for kind in translate.KINDS
    )
    assert plain.attention is None and attending.attention is not None
    assert attending.decoder.D == plain.decoder.D + 6
    for part in ("encoder", "readout"):
        shapes = [{n: p.shape for n, p in net.parts[part].parameters.items()}
                  for net in (plain, attending)]  # fmt: skip
        assert shapes[0] == shapes[1]


def test_what_turns_the_sources_is_called_with_their_lengths(translators):
    seen = []

    def turn(x, lengths):
        seen.append((x.shape[0], lengths.max()))
        return x

    net = translate.network("none", 4, rng=np.random.default_rng(0))
    history = translate.fitted(
        net, translators.problem, steps=3, rng=np.random.default_rng(0), turn=turn
    )
    assert len(history.loss) == 3 and all(steps == longest for steps, longest in seen)


# Asked


def test_an_answer_is_right_in_every_digit_and_ends(monkeypatch):
    given = [said(1, 2, 10), said(1, 2), said(2, 1, 10), said(1, 2, 0, 10), said(10)]
    monkeypatch.setattr(translate, "answers", lambda translator, numbers: given)
    assert translate.right(None, [12] * 5).tolist() == [True, False, False, False, False]


def test_faults_are_shares_of_the_wrong_answers(monkeypatch):
    given = [said(1, 2, 3, 10), said(1, 3, 2, 10), said(1, 2, 10), said(4, 2, 3, 10)]
    monkeypatch.setattr(translate, "answers", lambda translator, numbers: given)
    faults = translate.faults(None, [123] * 4)
    assert list(faults.values()) == pytest.approx([1 / 3, 2 / 3, 1 / 3])


@pytest.mark.parametrize("kind", translate.KINDS)
def test_a_run_is_what_greedy_decoding_does(translators, kind):
    net = translators.trained[kind]
    shown = translate.run(net, 321_300)
    assert shown.words == spelled(321_300).split() and shown.truth == "321300↵"
    np.testing.assert_allclose(shown.p.sum(axis=1), 1)
    assert "".join(translate.SYMBOLS[k] for k in shown.p.argmax(axis=1)) == shown.said
    x, target, *_ = NumberWords.encoded([321_300])
    taught = net.forward(x, target)
    np.testing.assert_allclose(shown.memory, taught.encoder.h[:, 0])
    y = net.readout.forward(taught.h)[: len(shown.said), 0]
    np.testing.assert_allclose(
        shown.p_taught, np.exp(y) / np.exp(y).sum(axis=1, keepdims=True), rtol=1e-9
    )
    if kind == "none":
        assert shown.weights is None
        np.testing.assert_array_equal(shown.contexts, shown.memory[[-1] * len(shown.said)])
    else:
        np.testing.assert_allclose(shown.contexts, shown.weights @ shown.memory, rtol=1e-9)


@pytest.mark.parametrize("kind", translate.KINDS)
def test_with_a_teacher_nothing_differs_before_the_first_mistake(translators, kind):
    for number in translate.examples(translators.problem):
        shown = translate.run(translators.trained[kind], number)
        pairs = zip(shown.said, shown.truth, strict=False)
        first = next((k for k, (a, b) in enumerate(pairs) if a != b), len(shown.said) - 1)
        np.testing.assert_allclose(shown.p[: first + 1], shown.p_taught[: first + 1])


def test_an_answer_can_be_put_in_its_mouth(translators):
    shown = translate.run(translators.untrained["additive"], 42, said="42↵")
    assert shown.said == "42↵" and shown.weights.shape == (3, 2)


def test_examples_are_held_out_two_of_each_count_of_words(translators):
    numbers = translate.examples(translators.problem)
    assert len(set(numbers)) == 14
    for k, number in enumerate(numbers):
        assert number in translators.problem.held_out[3 + k // 2]
    assert 321_300 in numbers, "the one that the chapter speaks of"


def test_any_held_out_number_can_be_picked_and_no_other(translators):
    problem = translators.problem
    seen, own = int(problem.train[8][-1]), int(problem.held_out[8][-1])
    figure = attend.attention_map(translators, also=[own])
    control = figure._controls[0]
    assert control.values[-1] == own and len(control.values) == 15
    _, sentence = figure.draw((14, 0))
    assert spelled(own) in sentence
    assert decode.decode_steps(translators, also=[own])._controls[0].values == control.values
    for make in (attend.attention_map, decode.decode_steps):
        with pytest.raises(ValueError, match=f"also: expected held-out numbers, got {seen}"):
            make(translators, also=[own, seen])


def test_the_blame_is_that_of_the_first_digit(translators):
    """Without attention: move the context, and see how the first digit's loss moves."""
    net = translators.trained["none"]
    wide = {name: p.astype(float) for name, p in net.parameters.items()}
    net, numbers = with_parameters(net, wide), translators.problem.held_out[5][:3]
    x, target, *_ = NumberWords.encoded(numbers)
    context = net.encoder.forward(x).h[-1]
    read, step = np.full((1, 3), net.end), 1e-6

    def losses(state):
        y = net.readout.forward(net.decode(read, state, context[None], None).h[0])
        return np.log(np.exp(y).sum(axis=1)) - y[np.arange(3), target[0]]

    slopes = [
        (losses(context + step * unit) - losses(context - step * unit)) / (2 * step)
        for unit in np.eye(32)
    ]
    measured = translate.blame(net, numbers)
    assert len(measured) == 5
    assert measured[-1] == pytest.approx(np.linalg.norm(slopes, axis=0).mean(), rel=1e-6)


def test_looking_is_counted_by_the_word_that_says_the_digit(monkeypatch):
    own = [0, 2, 3, 5, 7, 8, 8]

    def looks(places):
        shown = translate.Run([], "", "", None, None, np.eye(10)[places], None, None)
        monkeypatch.setattr(attend, "run", lambda translator, number, said: shown)
        return attend.on_its_word(None, [321_321])

    assert looks(own) == (1, 1)
    assert looks([place + 1 for place in own]) == (0, 1)
    assert looks([0, 2, 4, 4, 8, 0, 0]) == (pytest.approx(2 / 6), pytest.approx(4 / 6))


# Shown


MAKES = {
    "decode-steps": decode.decode_steps,
    "attention-map": attend.attention_map,
    "length-accuracy": lambda translators: attend.length_accuracy(translators.problem),
}


@pytest.fixture(scope="module")
def figures(translators):
    return {name: make(translators) for name, make in MAKES.items()}


def texts(figure, ax):
    return [t.get_text() for t in figure._drawing.fig.axes[ax].texts if t.get_text()]


@pytest.mark.parametrize("kind", translate.KINDS)
def test_decoding_is_drawn_as_it_runs(translators, figures, kind):
    figure, number = figures["decode-steps"], 321_300
    shown = translate.run(translators.trained[kind], number)
    for step in (1, 3, 7):
        t = min(step, len(shown.said)) - 1
        figure.value = {"example": number, "step": step, "network": kind}
        _, right, below = figure._drawing.fig.axes
        bars, taught = right.lines[1:]
        np.testing.assert_allclose(bars.get_xdata()[1::3], shown.p[t])
        np.testing.assert_allclose(taught.get_xdata(), shown.p_taught[t])
        tape = [text.get_text() for text in below.texts[:28]]
        rows = ["".join(tape[k : k + 7]) for k in range(0, 28, 7)]
        assert rows[1:3] == [shown.said[: t + 1], shown.truth]
        assert rows[0] == "↵" + shown.said[:t] and rows[3] == ("↵" + shown.truth)[: t + 1]
        wrong = [k for k, text in enumerate(below.texts[7:14])
                 if text.get_text() and text.get_color() == plots.RNN]  # fmt: skip
        assert wrong == [k for k in range(t + 1) if shown.said[k] != (shown.truth + " " * 7)[k]]
        sentence = figure._picture["sentence"]
        assert f"says {shown.said[t]} with probability {shown.p[t].max():.2f}" in sentence


def test_the_frame_is_round_the_last_state_and_only_without_attention(figures):
    figure = figures["decode-steps"]
    outline, weights = figure._drawing.fig.axes[0].lines
    figure.value = {"example": 321_300, "step": 2, "network": "none"}
    middle = np.mean(outline.get_ydata()[:4])
    assert middle == decode.ROWS - len(spelled(321_300).split()) and not len(weights.get_xdata())
    figure.value = {"example": 321_300, "step": 2, "network": "additive"}
    assert not len(outline.get_xdata())
    lengths = weights.get_xdata()[1::3] - weights.get_xdata()[::3]
    assert lengths.sum() == pytest.approx(decode.BAR), "the weights sum to 1"


def test_the_map_draws_every_weight_as_an_area(translators, figures):
    figure, number = figures["attention-map"], 321_300
    shown = translate.run(translators.trained["additive"], number)
    figure.value = {"example": number, "step": 4}
    ax = figure._drawing.fig.axes[0]
    squares, null = ax.patches[-2:]
    before = translate.run(translators.untrained["additive"], number, said=shown.said)
    for patch, weights in ((squares, shown.weights), (null, before.weights)):
        corners = patch.get_path().vertices.reshape(*weights.T.shape, 5, 2)
        areas = np.prod(np.ptp(corners, axis=2), axis=-1)
        np.testing.assert_allclose(areas, 0.94**2 * weights.T, atol=1e-9)
    assert np.abs(before.weights - 1 / 7).max() < 0.05, "untrained: all words alike"
    assert plots.number(shown.weights[3].max()) in texts(figure, 0)
    assert f"it writes {shown.said[3]} and looks most at" in figure._picture["sentence"]


def test_the_accuracy_is_the_stored_one_and_its_null_is_beside_it(figures):
    figure = figures["length-accuracy"]
    figure.value = {"updates": 1600, "H": 16}
    top, bottom = figure._drawing.fig.axes
    drawn = {line.get_label(): line for line in (*top.lines, *bottom.lines)}
    np.testing.assert_allclose(drawn["words, no order"].get_ydata(), attend.without_order())
    for kind, words in translate.KINDS.items():
        stored = attend.median_accuracy(kind, 16, 1600)
        np.testing.assert_allclose(drawn[words].get_ydata(), stored)
        assert (
            f"{words}, {stored[0]:.0%} of one word and {stored[8]:.0%} of nine"
            in (figure._picture["sentence"])
        )
    asked = [label.get_text().split("\n")[1] for label in top.get_xticklabels()]
    assert asked == ["3", "11", "106"] + 6 * ["200"]


def drawn_apart(text):
    return text.get_visible() and text.get_text().strip()


@pytest.mark.parametrize("name", MAKES)
def test_a_figure_keeps_its_budget_and_its_text_inside(translators, name, monkeypatch):
    """With three of the fourteen numbers, the longest words among them; the build counts them all."""
    few = [translate.examples(translators.problem)[k] for k in (0, 9, 12)]
    for module in (decode, attend):
        # the default is the tenth of a list in which a control drops what comes again
        monkeypatch.setattr(module, "choices", lambda problem, also: 5 * few)
    figure = MAKES[name](translators)
    packed = compute(figure._drawing, figure._controls, figure._draw)
    part = 1 if name == "length-accuracy" else len(few) / 14
    assert len(packed.pictures) <= part * 100_000 < payload.MAX_BYTES
    fig = figure._drawing.fig
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    for state in list(states(figure._controls))[::5]:
        figure.draw(state)
        for ax in fig.axes:
            boxes = [
                (text.get_window_extent(renderer), text.get_text())
                for text in filter(drawn_apart, ax.texts)
            ]
            for k, (box, said) in enumerate(boxes):
                assert box.x0 >= -1 and box.x1 <= width + 1, said
                for other, also in boxes[:k]:
                    assert not box.shrunk(0.9, 0.7).overlaps(other.shrunk(0.9, 0.7)), (said, also)


# The page


PAGE = Path(__file__).parents[1] / "notebooks" / "14_seq2seq.ipynb"


def test_the_page_marks_the_lines_it_speaks_of():
    text = "\n".join(cell.source for cell in nbformat.read(PAGE, as_version=4).cells)

    def marked(file: str) -> list[str]:
        block = re.search(rf"```{{literalinclude}} \S*{file}\n(.*?)```", text, re.DOTALL).group(1)
        code = Path(rnn_teach.__file__).parent.joinpath(file).read_text("utf-8")
        start = re.search(r':start-at: "\s*(.*)"', block).group(1)
        lines = code[code.index(start) :].splitlines()
        places = re.search(r":emphasize-lines: ([\d, ]+)", block).group(1).split(",")
        return [lines[int(place) - 1].strip() for place in places]

    [moved] = marked("seq2seq/network.py")
    assert moved.startswith("read = np.concatenate(") and "target[:-1]" in moved
    step, chosen = marked("seq2seq/decoding.py")
    assert "network.decode(read[None]" in step and chosen.startswith("read = likely.argmax")
    first, *_, last = marked("seq2seq/additive.py")
    assert first.startswith("np.tanh(h[t] @ W_q + m") and last.startswith("step = cell.forward(")
