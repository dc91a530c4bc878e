"""Chapter 13's networks and figures: what each state has read, against layers run by hand on the pieces."""

import inspect
import re
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import same_color

from rnn_teach import GRU, LSTM, RNN, plots, tasks
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.figures import around, directions, gap
from rnn_teach.figures.language import Data
from rnn_teach.functional import softmax
from rnn_teach.gradcheck import check, with_parameters
from rnn_teach.training import evaluate

TEXT = gap.PASSAGE
SIDES = [("forward",), ("backward",), ("forward", "backward")]


@pytest.fixture(scope="module")
def readers():
    return {name: around.train(name, steps=30, seed=4) for name in around.UNITS}


@pytest.fixture(scope="module")
def leaky():
    return around.leak(steps=120, seed=4)


@pytest.fixture(scope="module")
def gap_figure(readers):
    return gap.gap(readers)


def layers(sides, cell=RNN, D=2):
    rng = np.random.default_rng(3)
    return {side: cell(D, H, rng=rng) for side, H in zip(sides, (3, 4), strict=False)}


def said_by_hand(network, x, t):
    """The probabilities (K,) of symbol t of x (T, K): each layer run on its own piece of the text."""
    pieces = {"forward": x[:t], "backward": x[t + 1 :][::-1]}
    h = []
    for side, layer in network.cell.parts.items():
        piece = pieces[side][:, None]
        h.append(layer.forward(piece).final[0] if len(piece) else np.zeros(layer.H))
    readout = network.readout
    return softmax(np.concatenate(h) @ readout.W_y + readout.b_y)


# the layer


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("cell", [RNN, GRU, LSTM])
def test_the_states_beside_a_step_have_read_all_but_that_step(sides, cell):
    layer, x = around.Around(**layers(sides, cell)), np.random.default_rng(0).normal(size=(5, 2, 2))
    h = layer.forward(x).h
    assert h.shape == (5, 2, layer.H)
    for t in range(5):
        expected = []
        for side, part in layer.parts.items():
            piece = x[:t] if side == "forward" else x[t + 1 :][::-1]
            expected.append(part.forward(piece).h[-1] if len(piece) else np.zeros((2, part.H)))
        np.testing.assert_array_equal(h[t], np.concatenate(expected, axis=1))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("cell", [RNN, LSTM])
def test_its_gradients_satisfy_both_oracles(sides, cell):
    rng = np.random.default_rng(1)
    layer = around.Around(**layers(sides, cell))
    x, dh = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, layer.H))
    grads = layer.backward(layer.forward(x), dh)

    def loss(changed):
        moved = {name: p for name, p in changed.items() if name != "x"}
        return (with_parameters(layer, moved).forward(changed["x"]).h * dh).sum()

    check(loss, layer.parameters | {"x": x}, grads, rng=rng)
    assert {name: p.shape for name, p in layer.parameters.items()} == layer.shapes


def test_no_gradient_reaches_the_hidden_step():
    layer, x = around.Around(**layers(SIDES[2])), np.random.default_rng(0).normal(size=(6, 1, 2))
    for t in range(6):
        dh = np.zeros((6, 1, layer.H))
        dh[t] = 1
        dx = np.abs(layer.backward(layer.forward(x), dh)["x"]).sum(axis=(1, 2))
        assert np.flatnonzero(dx == 0).tolist() == [t]


def test_its_states_are_those_of_a_bidirectional_layer_one_step_on():
    parts, x = layers(SIDES[2]), np.random.default_rng(0).normal(size=(6, 2, 2))
    beside, at = around.Around(**parts).forward(x).h, Bidirectional(*parts.values()).forward(x).h
    np.testing.assert_array_equal(beside[1:, :, :3], at[:-1, :, :3])
    np.testing.assert_array_equal(beside[:-1, :, 3:], at[1:, :, 3:])
    assert not beside[0, :, :3].any() and not beside[-1, :, 3:].any()


def test_it_takes_whole_sequences_only():
    layer, x = around.Around(**layers(SIDES[2])), np.zeros((3, 1, 2))
    for state, lengths in ((np.zeros((1, 3)), None), (None, np.array([2]))):
        with pytest.raises(ValueError, match="whole sequences of equal length"):
            layer.forward(x, state, lengths)


# the data and the models that only count


def test_every_symbol_is_asked_for_once_and_no_state_is_handed_on():
    codes = np.array([[2, 0], [1, 1], [0, 2]])
    batch = around.gaps(tasks.Batch(np.eye(3)[codes], np.roll(codes, -1, axis=0), carry=True))
    np.testing.assert_array_equal(batch.target, codes)
    np.testing.assert_array_equal(batch.x, np.eye(3)[codes])
    assert batch.x.dtype == np.float32 and not batch.carry and batch.lengths is None


def test_the_models_that_count_are_those_of_a_tally():
    train, held_out = "abcabcaabbcaccab", "abcaabccbacb"
    vocabulary = tasks.characters("abc")
    codes = vocabulary.encode(held_out).reshape(2, 6).T
    measured = tasks.Batch(np.eye(3)[codes], codes)
    p = around.counted(Data(vocabulary, train, held_out, None, measured))
    often = [(train.count(s) + 1) / (len(train) + 3) for s in "abc"]
    np.testing.assert_allclose(p["most frequent"], np.broadcast_to(often, (6, 2, 3)))
    triples = Counter(zip(train, train[1:], train[2:], strict=False))
    for n, stream in enumerate(("abcaab", "ccbacb")):
        for t in range(1, 5):
            tally = [triples[stream[t - 1], s, stream[t + 1]] + 1 for s in "abc"]
            np.testing.assert_allclose(p["both neighbors"][t, n], np.array(tally) / sum(tally))
        for t in (0, 5):
            np.testing.assert_allclose(p["both neighbors"][t, n], often)


def test_loss_and_right_on_numbers_made_by_hand():
    p, target = np.array([[[0.7, 0.3], [0.25, 0.75]]]), np.array([[0, 0]])
    assert around.loss(p, target) == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2)
    assert around.right(p, target).tolist() == [[True, False]]


def test_words_are_found_by_their_ends():
    text = "of four_five, and sixty... seven"
    first, last = around.ends_of_words(text)
    assert [text[a : b + 1] for a, b in zip(first, last, strict=True)] == [
        "four", "five", "sixty", "seven",
    ]  # fmt: skip
    assert around.ends_of_words(text, shortest=5)[0] == [18, 27]


def test_the_ends_of_words_are_counted_over_all_streams(readers):
    data = readers["both"].data
    asked = data.measured.x.argmax(axis=2)
    p = np.eye(data.vocabulary.size)[asked]  # always right
    assert around.right_at_ends(p, data) == (1, 1)
    wrong = asked.copy()
    for n, stream in enumerate(asked.T):
        wrong[around.ends_of_words(data.vocabulary.decode(stream))[1], n] += 1
    assert around.right_at_ends(np.eye(data.vocabulary.size + 1)[wrong], data) == (1, 0)


def test_places_are_pieces_of_the_held_out_text(readers):
    data = readers["both"].data
    for behind in (0, 3):
        pieces = around.places(data, behind)
        assert pieces.shape[1] == 41 + behind
        for k in (0, 1, len(pieces) - 1):
            assert data.vocabulary.decode(pieces[k]) == data.held_out[5 * k : 5 * k + 41 + behind]


# the training


def test_the_race_is_fair_and_on_one_text(readers):
    assert TEXT in readers["both"].data.held_out and TEXT not in readers["both"].data.train
    assert len({reader.data.train for reader in readers.values()}) == 1
    sizes = [sum(p.size for p in r.trained.parameters.values()) for r in readers.values()]
    assert max(sizes) - min(sizes) < 10 and sizes[2] <= sizes[0] == sizes[1]
    assert [list(r.trained.cell.parts) for r in readers.values()] == [list(s) for s in SIDES]


def test_all_learn_and_the_same_seed_gives_the_same_network(readers):
    for name, reader in readers.items():
        asked = around.gaps(reader.data.measured)
        before, after = (
            evaluate(network, asked.x, asked.target)
            for network in (reader.untrained, reader.trained)
        )
        assert after < before - 0.5, name
    again = around.train("both", steps=30, seed=4)
    for name, p in again.trained.parameters.items():
        np.testing.assert_array_equal(p, readers["both"].trained.parameters[name])


def test_each_network_says_what_its_layers_say_of_the_pieces(readers):
    vocabulary = readers["both"].data.vocabulary
    x = vocabulary.one_hot(vocabulary.encode(TEXT))
    for reader in readers.values():
        p = around.probabilities(reader.trained, x[:, None])[:, 0]
        for t in (0, 1, 22, len(TEXT) - 1):
            np.testing.assert_allclose(p[t], said_by_hand(reader.trained, x, t), atol=1e-5)


def test_the_leak_is_asked_for_the_next_symbol_and_copies_it(leaky):
    x, target = leaky.data.measured.x, leaky.data.measured.target
    p = around.probabilities(leaky.trained, x)
    assert around.loss(p, target) < 0.5
    assert around.loss(p, x.argmax(axis=2)) > 3
    # nothing behind it, nothing to copy
    pieces = around.places(leaky.data, 0)
    p = around.probabilities(leaky.trained, leaky.data.vocabulary.one_hot(pieces[:, :-1].T))[-1]
    assert around.loss(p, pieces[:, -1]) > 2


# which inputs reach an output


@pytest.mark.parametrize("t", range(6))
def test_paths_are_those_of_the_graph(t):
    for asked in ("label", "hidden", "next"):
        size, aside = directions.paths(t, asked), asked == "hidden"
        known = {name: set(np.flatnonzero(values).tolist()) for name, values in size.items()}
        assert known["u"] == set(range(t + 1 - aside))
        assert known["v"] == set(range(t + aside, 6))
        assert known["x"] == known["u"] | known["v"]


def slopes(network, x, row, symbol):
    """How the score of a symbol at a step moves with each input of x (T, K), by the complex step."""
    sizes = []
    for s in range(len(x)):
        moved = np.repeat(x[:, None], x.shape[1], axis=1).astype(complex)
        moved[s] += 1e-30j * np.eye(x.shape[1])
        y = network.readout.forward(network.cell.forward(moved).h[row])
        sizes.append(np.linalg.norm((y[:, symbol] - y.mean(axis=1)).imag) / 1e-30)
    return np.array(sizes)


@pytest.mark.parametrize("name", ["forward", "backward", "both", "next symbol"])
def test_shares_are_slopes_of_the_guess(readers, leaky, name):
    reader = leaky if name == "next symbol" else readers[name]
    vocabulary, network = reader.data.vocabulary, reader.trained
    x = vocabulary.one_hot(vocabulary.encode(TEXT[18:28]))
    for place in (1, 4, 8):
        row = place - (name == "next symbol")
        assert directions.row_of(network, place) == row
        guess = around.probabilities(network, x[:, None])[row, 0].argmax()
        expected = slopes(network, x, row, guess)
        share = directions.shares(network, x[:, None], np.array([row]))[:, 0]
        np.testing.assert_allclose(share, expected / expected.sum(), atol=2e-4)
        unseen = {"forward": slice(place, None), "backward": slice(place + 1), "both": place}
        assert not share[unseen[name]].any() if name in unseen else share[place] > 0


def test_the_passage_stands_between_line_ends(readers, leaky):
    for reader, row in ((readers["both"], 41), (leaky, 40)):
        x = reader.data.vocabulary.one_hot(reader.data.vocabulary.encode(f"\n{TEXT}\n"))
        one = directions.shares(reader.trained, x[:, None], np.array([row]))[:, 0]
        np.testing.assert_allclose(
            directions.in_passage(reader.trained, reader)[40], one, atol=1e-6
        )


def test_the_mean_is_over_pieces_of_the_held_out_text(readers, leaky, monkeypatch):
    monkeypatch.setattr(directions, "WINDOWS", 3)
    for reader, row in ((readers["both"], 20), (leaky, 19)):
        data, mean = reader.data, np.zeros(41)
        for start in (0, (len(data.held_out) - 41) // 2, len(data.held_out) - 41):
            codes = data.vocabulary.encode(data.held_out[start : start + 41])
            x = data.vocabulary.one_hot(codes[:, None])
            mean += directions.shares(reader.trained, x, np.array([row]))[:, 0] / 3
        found = directions.by_distance(reader.trained, reader)
        np.testing.assert_allclose(found, mean, atol=1e-6)


# the figures


def test_two_readings_lights_what_reaches_the_output():
    figure = directions.two_readings()
    [ax] = figure._drawing.fig.axes
    u, v = (dots for dots in ax.collections if len(dots.get_offsets()) == 6)
    right, left = (dots for dots in ax.collections if len(dots.get_offsets()) == 5)
    reads = next(c for c in ax.collections if same_color(c.get_edgecolor()[0], plots.INK))
    [ring] = [c for c in ax.collections if same_color(c.get_edgecolor()[-1], plots.RNN)]
    for t, asked in product(range(1, 7), ("label", "hidden", "next")):
        figure.value = {"t": t, "asked": asked}
        aside, letters = (
            asked == "hidden",
            set(range(6)) - ({t - 1} if asked == "hidden" else set()),
        )
        for dots, color, lit in (
            (u, gap.COLORS["forward"], range(t - aside)),
            (v, gap.COLORS["backward"], range(t - 1 + aside, 6)),
        ):
            shown = [same_color(c, color) for c in dots.get_facecolor()]
            assert np.flatnonzero(shown).tolist() == list(lit)
        for dots, color, lit in (
            (right, gap.COLORS["forward"], range(t - aside - 1)),
            (left, gap.COLORS["backward"], range(t - 1 + aside, 5)),
        ):
            shown = [same_color(c, color) for c in dots.get_facecolor()]
            assert np.flatnonzero(shown).tolist() == list(lit), "arrows to lit states"
        starts = [tuple(segment[0]) for segment in reads.get_segments()]
        own = [tuple(xy) for xy in u.get_offsets()[: t - aside][-1:]]
        own += [tuple(xy) for xy in v.get_offsets()[t - 1 + aside :][:1]]
        assert starts == own
        seen = "".join(c if k in letters else "?" for k, c in enumerate("memory"))
        sentence = figure._picture["sentence"]
        assert sentence.startswith(
            f"The output at step {t} depends on {len(letters)} of 6 letters: {seen}. "
        )
        assert ring.get_visible() == (asked == "hidden" or asked == "next" and t < 6)
        if ring.get_visible():
            assert ring.get_offsets()[0].tolist() == [t - (asked == "hidden"), 0]
        ends = {"label": "nothing is given away.", "hidden": "is not among them."}
        ends["next"] = "it leaks." if t < 6 else "nothing to copy."
        assert sentence.endswith(ends[asked])


def test_gap_draws_and_says_what_the_networks_say(readers, gap_figure):
    figure = gap_figure
    top, middle, bottom = figure._drawing.fig.axes
    vocabulary, t = readers["both"].data.vocabulary, 40
    x = vocabulary.one_hot(vocabulary.encode(f"\n{TEXT}\n"))
    tracks = {line.get_color(): line for line in top.get_lines() if line.get_linewidth() == 7}
    figure.at = t
    sentence, solid = figure._picture["sentence"], {}
    for line in middle.get_lines():
        solid.setdefault(line.get_color(), {})[line.get_alpha()] = line
    assert sentence.startswith(f"“{TEXT[:t]}?{TEXT[t + 1 :]}” hides “h”.")
    for name, reader in readers.items():
        p = said_by_hand(reader.trained, x, t + 1)
        y = tracks[gap.COLORS[name]].get_ydata()
        assert (y[1::3] - y[::3])[t] == pytest.approx(0.85 * p[vocabulary.encode("h")[0]], abs=1e-5)
        best = np.argsort(-p, kind="stable")[: gap.BEST]
        hit = [vocabulary.symbols[k] == "h" for k in best]
        for alpha, kept in ((None, hit), (0.35, [not h for h in hit])):
            line = solid[gap.COLORS[name]][alpha].get_xydata()
            expected = 0.42 * p[best][np.array(kept)]
            np.testing.assert_allclose(line[1::3, 0] - line[::3, 0], expected, atol=1e-5)
            assert line[::3, 1].tolist() == [-k for k, keep in enumerate(kept) if keep]
        shown = {text.get_text() for text in middle.texts}
        assert f"{p[best[0]]:.0%}" in shown
    said, asked = around.everything_said(readers), readers["both"].data.measured.x.argmax(axis=2)
    widths = [bar.get_width() for bar in bottom.patches]
    np.testing.assert_allclose(widths, [around.loss(p, asked) for p in said.values()])
    assert list(said) == ["most frequent", "both neighbors", "forward", "backward", "both"]


def test_a_letter_is_pointed_at_and_covered_where_it_stands(gap_figure):
    figure = gap_figure
    control = figure._controls[0]
    top = figure._drawing.fig.axes[0]
    texts = [text for text in top.texts if text.get_size() == 11 and text.get_text() != "?"]
    assert "".join(text.get_text() for text in texts) == TEXT
    [mark] = [text for text in top.texts if text.get_text() == "?"]
    for k, (column, text) in enumerate(zip(control.artists, texts, strict=True)):
        x, y = text.get_position()
        assert column.get_x() < x < column.get_x() + 1
        assert column.get_y() < y < column.get_y() + column.get_height()
        if k in (0, 32, 33, 55):
            figure.at = k
            assert mark.get_position() == (x, y)
            [cover] = [patch for patch in top.patches if patch.get_zorder() == 4]
            assert cover.get_x() < x < cover.get_x() + 1 and cover.get_zorder() > text.get_zorder()
            assert cover.get_y() < y < cover.get_y() + cover.get_height()
    assert TEXT[gap.FIRST_ROW - 1] == " ", "a row ends with a word"


def test_which_inputs_shows_both_networks_and_says_where_the_answer_is_seen(readers, leaky):
    everyone = readers | {"next symbol": leaky}
    figure = directions.which_inputs(everyone)
    top, bottom = figure._drawing.fig.axes
    bars = [line for line in top.get_lines() if line.get_linewidth() == 7]
    [nothing] = [text for text in bottom.texts if text.get_text() == "exactly 0"]
    for name, reader in everyone.items():
        figure.value = {"at": 30, "network": name}
        for line, network in zip(bars, (reader.trained, reader.untrained), strict=True):
            part = directions.in_passage(network, reader)[30]
            y = line.get_ydata()
            np.testing.assert_allclose(y[1::3] - y[::3], 0.85 * part[1:-1] / part.max(), atol=1e-6)
        for line, network in zip(bottom.get_lines()[1:], (reader.trained, reader.untrained)):
            mean = directions.by_distance(network, reader)
            shown = np.nan_to_num(line.get_ydata())
            np.testing.assert_allclose(shown, mean, atol=1e-7)
        place = {"forward": 10, "backward": -10}.get(name)
        assert nothing.get_visible() == (place is not None)
        assert place in (None, nothing.get_position()[0])
        assert figure._picture["sentence"].endswith("answer.") == (name == "next symbol")


def test_the_page_marks_the_lines_that_matter():
    root = Path(__file__).parents[1]
    page = root.joinpath("notebooks", "13_bidirectional.ipynb").read_text("utf-8")

    def marked(file, source, start, end):
        lines = source.splitlines()
        first = next(k for k, line in enumerate(lines) if start in line)
        last = next(k for k, line in enumerate(lines) if k > first and end in line)
        found = re.search(
            rf"{file}\n.*?emphasize-lines: ([\d, ]+)", page.replace("\\n", "\n"), re.DOTALL
        )
        return [
            lines[first + int(k) - 1]
            for k in found.group(1).split(",")
            if first + int(k) <= last + 1
        ]

    u, v, aligned, joined = marked(
        "bidirectional.py",
        inspect.getsource(Bidirectional),
        "order = _backward_order",
        "return Bidir",
    )
    assert "forward_layer.forward" in u and "backward_layer.forward" in v
    assert "self.align" in aligned and "np.concatenate" in joined
    [handed] = marked(
        "around.py", inspect.getsource(around.Around), "traces = {k", "return AroundTrace"
    )
    assert "_handed_on" in handed
