"""Chapter 15: the two ways to read, the race, the folded tree, and the blame at every leaf."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

import rnn_teach
from rnn_teach import RNN, plots
from rnn_teach.figures import deeper, folding, treepaths
from rnn_teach.live.controls import states
from rnn_teach.problems.expressions import Expressions, parse, value
from rnn_teach.tree import Recursive

PAGE = Path(__file__).parents[1] / "notebooks" / "15_recursive.ipynb"
TEXTS = list(folding.EXPRESSIONS.values())
STEPS = 40


@pytest.fixture(scope="module", autouse=True)
def short():
    """Fewer expressions in an exam: what is tested here is what is done with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deeper, "EXAM", 50)
        deeper.exam.cache_clear()
        yield
    deeper.exam.cache_clear()


@pytest.fixture(scope="module")
def race():
    return {name: deeper.train(name, steps=STEPS) for name in deeper.H}


@pytest.fixture(scope="module")
def fold(race):
    return folding.fold_tree(race["tree"])


@pytest.fixture(scope="module")
def lines(race):
    return deeper.deeper_trees(race)


@pytest.fixture(scope="module")
def gradient():
    return treepaths.tree_gradient()


def state(cell, tree):
    """h of a tree as the equation says it, one node after another."""
    symbol, *sides = tree
    a = cell.W_x[cell.symbols.index(symbol)] + cell.b
    for k, side in enumerate(sides):
        a = a + state(cell, side) @ cell.W_h[k]
    return np.tanh(a)


def leaf_depths(tree):
    return [0] if len(tree) == 1 else [1 + d for side in tree[1:] for d in leaf_depths(side)]


def shown(figure, **values):
    for control, chosen in values.items():
        setattr(figure, control, chosen)
    return figure._picture["sentence"]


def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


# Trained


def test_all_networks_have_the_same_number_of_parameters():
    D, K, H = 7, 2, deeper.H
    expected = {
        "tree": 5 * H["tree"] + 2 * H["tree"] ** 2 + H["tree"] + K * (H["tree"] + 1),
        "RNN": D * H["RNN"] + H["RNN"] ** 2 + H["RNN"] + K * (H["RNN"] + 1),
        "GRU": 3 * (D + H["GRU"] + 1) * H["GRU"] + H["GRU"] + K * (H["GRU"] + 1),
    }
    networks = {name: deeper.network(name, rng=np.random.default_rng(0)) for name in H}
    assert {name: deeper.size(network) for name, network in networks.items()} == expected
    assert max(expected.values()) <= 1.02 * min(expected.values())


def test_all_networks_learn_from_the_same_expressions(monkeypatch):
    seen, draw = [], Expressions.draw

    def noted(problem, N, *, rng):
        seen.append(draw(problem, N, rng=rng))
        return seen[-1]

    monkeypatch.setattr(Expressions, "draw", noted)
    for name in deeper.H:
        deeper.train(name, steps=3)
    assert len(seen) == 9 and seen[:3] == seen[3:6] == seen[6:]
    depths = [max(leaf_depths(parse(text))) for texts in seen for text in texts]
    assert set(depths) == {1, 2, 3}, "and none deeper than 3"


def test_training_is_seeded_and_keeps_the_untrained_network(race):
    again = deeper.train("tree", steps=STEPS)
    assert list(again) == [0, STEPS]
    fresh = deeper.network("tree", rng=np.random.default_rng(0))
    for name, parameter in race["tree"][STEPS].parameters.items():
        np.testing.assert_array_equal(parameter, again[STEPS].parameters[name])
        np.testing.assert_array_equal(race["tree"][0].parameters[name], fresh.parameters[name])
        assert (parameter != fresh.parameters[name]).any()
    assert set(deeper.MOMENTS) >= {0, 1000}


# Measured


def test_the_exam_is_of_one_depth_and_new_texts_at_the_deep_end():
    for depth in (1, 3, 6):
        exam = deeper.exam(depth)
        assert len(exam.texts) == deeper.EXAM
        assert {max(leaf_depths(tree)) for tree in exam.trees.x} == {depth}
        np.testing.assert_array_equal(exam.trees.target, [eval(text) for text in exam.texts])
        np.testing.assert_array_equal(exam.trees.target, exam.sequences.target)
    assert len(set(deeper.exam(6).texts)) == deeper.EXAM


def test_the_tree_network_is_asked_at_the_root(race):
    network, some = race["tree"][STEPS], deeper.asked(TEXTS)
    expected = [
        softmax(state(network.cell, parse(text)) @ network.readout.W_y + network.readout.b_y)[1]
        for text in TEXTS
    ]
    np.testing.assert_allclose(deeper.probabilities(network, some), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["GRU", "RNN"])
def test_the_others_are_asked_after_the_last_character(race, name):
    network, some = race[name][STEPS], deeper.asked(["1&0", *TEXTS, "(0|1)^1"])
    alone = []
    for text in some.texts:
        codes = [Expressions.characters.index(character) for character in text]
        h = network.cell.forward(np.eye(7)[codes][:, None]).h[-1, 0]
        alone.append(softmax(h @ network.readout.W_y + network.readout.b_y)[1])
    np.testing.assert_allclose(deeper.probabilities(network, some), alone, atol=1e-12)
    values = np.array([eval(text) for text in some.texts])
    share = np.mean((np.array(alone) > 0.5) == values)
    assert deeper.accuracy(network, some) == pytest.approx(share)


def test_labels_are_kept_apart_in_their_order():
    rng = np.random.default_rng(0)
    for heights in rng.random((50, 4)):
        placed = deeper.apart(dict(zip("abcd", heights, strict=True)), 0.08)
        y = np.array([placed[name] for name in "abcd"])
        assert (np.argsort(y) == np.argsort(heights)).all() and (y >= heights).all()
        assert np.diff(np.sort(y)).min() > 0.08 - 1e-12


# The folded tree


def test_the_expressions_have_one_size_and_different_shapes():
    for name, text in folding.EXPRESSIONS.items():
        assert sum(map(text.count, "01")) == 8 and sum(map(text.count, "&|^")) == 7
        assert max(leaf_depths(parse(text))) == int(re.search(r"\d", name).group())
    assert {eval(text) for text in TEXTS} == {0, 1}


@pytest.mark.parametrize("text", TEXTS)
def test_nodes_stand_above_their_place_in_the_text(text, race):
    tree = parse(text)
    nodes, place = list(folding.subtrees(tree)), folding.places(tree)
    trace = race["tree"][0].cell.forward([tree])
    np.testing.assert_array_equal(place.children, trace.children)
    assert [race["tree"][0].cell.symbols[k] for k in trace.symbol] == [node[0] for node in nodes]
    bare = text.replace("(", "").replace(")", "")
    assert [bare[x] for x in place.x] == [node[0] for node in nodes]
    assert sorted(place.x) == list(range(15))
    for n, children in enumerate(place.children):
        if children[0] < 0:
            assert place.y[n] == 0
        else:
            assert place.y[n] == 1 + place.y[children].max()
            assert place.x[children[0]] < place.x[n] < place.x[children[1]]
    assert folding.written(tree) == f"({text})"


def test_the_answers_in_the_picture_are_the_networks(fold, race):
    ax = fold._drawing.fig.axes[0]
    signs, answers = ax.texts[:15], ax.texts[15:]
    for text in TEXTS:
        parts = list(folding.subtrees(parse(text)))
        inner = [n for n, part in enumerate(parts) if len(part) == 3]
        for moment in race["tree"]:
            network = race["tree"][moment]
            for step in (0, 3, 7):
                shown(fold, expression=text, step=step, updates=moment)
                assert [sign.get_text() for sign in signs] == [part[0] for part in parts]
                for n, part in enumerate(parts):
                    if n not in inner[:step]:
                        assert answers[n].get_text() == ""
                        continue
                    h = state(network.cell, part)
                    p = softmax(h @ network.readout.W_y + network.readout.b_y)[1]
                    truth = eval(folding.written(part))
                    right = (p > 0.5) == truth
                    expected = f"{int(p > 0.5)}" + ("" if right else f"≠{truth}")
                    assert answers[n].get_text() == expected
                    color = plots.GRU if right else plots.RNN
                    assert answers[n].get_color() == color
                    circle = ax.collections[-1].get_edgecolor()[n]
                    assert to_hex(circle) == color


def test_the_tiles_are_the_states_of_the_step(fold, race):
    text, network = TEXTS[2], race["tree"][STEPS]
    parts = [part for part in folding.subtrees(parse(text)) if len(part) == 3]
    shown(fold, expression=text, step=5, updates=STEPS)
    below = fold._drawing.fig.axes[1]
    drawn = np.zeros((3, 24))
    for patch in below.patches:
        sign = 1 if to_hex(patch.get_facecolor()) == plots.LSTM else -1
        for corner in patch.get_path().vertices[::5]:
            column, row = np.round(corner + 0.46).astype(int)
            drawn[2 - row, column] = sign * patch.get_alpha()
    expected = [state(network.cell, node) for node in (*parts[4][1:], parts[4])]
    np.testing.assert_allclose(drawn, expected, atol=1 / 16 + 1e-9)
    assert below.texts[2].get_text() == parts[4][0]
    redrawn = set(fold._drawing.live)
    assert set(below.patches) <= redrawn, "tiles of another step would stay in the picture"


def test_the_sentence_and_the_numbers_of_a_fold(fold, race):
    fold.expression, fold.step, fold.updates = TEXTS[3], 2, STEPS
    parts = [part for part in folding.subtrees(parse(TEXTS[3])) if len(part) == 3][:2]
    network = race["tree"][STEPS]
    p = deeper.probabilities(network, deeper.asked([folding.written(part) for part in parts]))
    right = sum((p > 0.5) == [value(part) for part in parts])
    assert fold._picture["sentence"] == (
        f"After {STEPS} updates, step 2 of 7: {folding.written(parts[1])[1:-1]} is folded; the "
        f"network says 1 with {p[1]:.0%}, and the value is {value(parts[1])}. "
        f"Right so far: {right} of 2."
    )
    fold.step = 0
    assert fold._picture["sentence"] == f"{TEXTS[3]}: nothing is folded yet."


# The race


def test_the_lines_are_the_accuracies_and_the_null_is_a_half(lines, race):
    ax = lines._drawing.fig.axes[0]
    by_color = {line.get_color(): line for line in ax.get_lines()}
    shown(lines, depth=5, updates=STEPS)
    for name, color in deeper.COLORS.items():
        x, y = by_color[color].get_data()
        np.testing.assert_array_equal(x, range(1, 9))
        for depth in (1, 5, 8):
            some = deeper.exam(depth)
            values = np.array([eval(text) for text in some.texts])
            right = (deeper.probabilities(race[name][STEPS], some) > 0.5) == values
            assert y[depth - 1] == pytest.approx(right.mean())
    np.testing.assert_array_equal(by_color[plots.MUTED].get_ydata(), [0.5, 0.5])
    shaded = ax.patches[0]
    assert (shaded.get_x(), shaded.get_x() + shaded.get_width()) == (0.5, deeper.TRAINED + 0.5)
    assert [patch.get_alpha() > 0 for patch in ax.patches[1:]] == [k == 4 for k in range(8)]


def test_the_sentence_of_the_race(lines, race):
    lines.depth, lines.updates = 2, 0
    share = {name: deeper.accuracy(kept[0], deeper.exam(2)) for name, kept in race.items()}
    letters = np.mean([len(text) for text in deeper.exam(2).texts])
    assert lines._picture["sentence"] == (
        f"After 0 updates, expressions of depth 2, {letters:.0f} characters long on average: "
        f"the tree {share['tree']:.0%}, the GRU {share['GRU']:.0%}, the RNN {share['RNN']:.0%}; "
        "a guess 50%."
    )


# The blame


@pytest.mark.parametrize("shape", treepaths.SHAPES)
def test_the_gradient_at_every_leaf_is_that_of_the_loss(shape):
    """Each leaf's state moved along the imaginary axis, by hand, and the root looked at."""
    gain, leaves = 0.8, 8
    norms, depth = treepaths.in_tree(gain, leaves, shape)
    layer, v = treepaths.recursive(gain), treepaths.directions()

    def up(tree, moved):
        """(state, leaves so far) with leaf number ``moved`` moved in all H directions."""
        if isinstance(tree, str):
            h = np.tanh(layer.W_x[int(tree)]) * np.ones((treepaths.H, 1))
            return h + (1e-30j * np.eye(treepaths.H) if moved == 0 else 0), 1
        left, n = up(tree[0], moved)
        right, m = up(tree[1], moved - n)
        return np.tanh(layer.W_x[2] + left @ layer.W_h[0] + right @ layer.W_h[1]), n + m

    for n in (0, treepaths.N - 1):
        bits = treepaths.inputs(leaves)[n]
        tree = treepaths.shaped(bits, shape, np.random.default_rng(153))
        for leaf in range(leaves):
            jacobian = up(tree, leaf)[0].imag / 1e-30
            assert norms[leaf, n] == pytest.approx(np.linalg.norm(jacobian @ v[n]), rel=1e-9)
    np.testing.assert_array_equal(depth, depths_of(tree))


def depths_of(tree):
    return [0] if isinstance(tree, str) else [1 + d for side in tree for d in depths_of(side)]


def test_the_chain_is_an_rnn_that_reads_the_leaves():
    gain, leaves = 0.9, 8
    layer, norms = treepaths.chain(gain), treepaths.in_chain(gain, leaves)
    assert isinstance(layer, RNN)
    bits = treepaths.inputs(leaves)[3]
    for t in range(leaves):
        h = np.zeros(treepaths.H)
        for step, bit in enumerate(bits):
            h = np.tanh(layer.W_x[int(bit)] + h @ layer.W_h)
            if step == t:
                h = h + 1e-30j * np.eye(treepaths.H)
        jacobian = h.imag / 1e-30
        expected = np.linalg.norm(jacobian @ treepaths.directions()[3])
        assert norms[t, 3] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("leaves", [2, 16, 128])
@pytest.mark.parametrize("gain", [0.5, 1.0])
def test_the_bound_holds_and_the_depth_is_the_logarithm(leaves, gain):
    layer = treepaths.recursive(gain)
    assert isinstance(layer, Recursive)
    for W in (*layer.W_h, treepaths.chain(gain).W_h):
        np.testing.assert_allclose(W @ W.T, gain**2 * np.eye(treepaths.H), atol=1e-12)
    for shape in treepaths.SHAPES:
        norms, depth = treepaths.in_tree(gain, leaves, shape)
        assert norms.shape == (leaves, treepaths.N)
        assert (norms <= gain ** depth[:, None] * (1 + 1e-9)).all()
        if shape == "balanced":
            assert (depth == np.log2(leaves)).all()
        if shape == "one-sided":
            assert depth.tolist() == [leaves - 1, *range(leaves - 1, 0, -1)]
    norms = treepaths.in_chain(gain, leaves)
    assert (norms <= gain ** np.arange(leaves)[::-1, None] * (1 + 1e-9)).all()
    np.testing.assert_allclose(norms[-1], 1)


def test_the_two_panels_show_the_same_numbers_at_their_places(gradient):
    shown(gradient, leaves=32, gain=0.7, tree="random")
    norms, depth = treepaths.in_tree(0.7, 32, "random")
    of_tree = np.median(norms, axis=1)
    of_chain = np.median(treepaths.in_chain(0.7, 32), axis=1)
    top, bottom = gradient._drawing.fig.axes
    chain, tree = top.get_lines()
    np.testing.assert_allclose(tree.get_xydata(), np.c_[range(1, 33), of_tree])
    np.testing.assert_allclose(chain.get_xydata(), np.c_[range(1, 33), of_chain])
    chain, tree, bound = bottom.get_lines()
    np.testing.assert_allclose(tree.get_xydata(), np.c_[depth, of_tree])
    np.testing.assert_allclose(chain.get_xydata(), np.c_[range(31, -1, -1), of_chain])
    np.testing.assert_allclose(bound.get_xydata(), [(0, 1), (31, 0.7**31)])


def test_what_a_reader_should_see_in_the_blame(gradient):
    """A short way in the tree, a long one in the chain, and one line for both below."""
    norms, _ = treepaths.in_tree(0.8, 64, "balanced")
    chain = np.median(treepaths.in_chain(0.8, 64), axis=1)
    tree = np.median(norms, axis=1)
    assert tree.max() / tree.min() < 10 and chain[-1] / chain[0] > 1e8
    # at the same number of steps they have lost about the same
    assert 0.3 < tree.mean() / chain[-1 - 6] < 3
    one_sided, _ = treepaths.in_tree(0.8, 64, "one-sided")
    rate = [np.log(m[0] / m[-1]) / 63 for m in (np.median(one_sided, axis=1), chain)]
    assert rate[0] == pytest.approx(rate[1], rel=0.15)
    gradient.leaves, gradient.gain, gradient.tree = 64, 0.8, "balanced"
    assert gradient._picture["sentence"] == (
        "Gain 0.8, 64 leaves: in the balanced tree the deepest leaf is 6 steps from the loss and "
        "gets 10⁻¹ of the gradient at the root; in the chain the first leaf is 63 steps away and "
        "gets 10⁻¹⁰ of it."
    )


# The figures and the page


@pytest.mark.parametrize("which", ["fold", "lines", "gradient"])
def test_no_text_leaves_the_picture(which, request):
    figure = request.getfixturevalue(which)
    fig, every = figure._drawing.fig, list(states(figure._controls))
    renderer = FigureCanvasAgg(fig).get_renderer()
    width = fig.get_size_inches()[0] * 72
    assert len(every) <= 200
    for values in every[::11]:
        figure.draw(values)
        for ax in fig.axes:
            for text in (*ax.texts, ax.title):
                box = text.get_window_extent(renderer)
                assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()


def test_the_page_marks_the_lines_that_matter():
    cells = nbformat.read(PAGE, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = Path(rnn_teach.__file__).with_name("tree.py").read_text("utf-8")

    def marked(block):
        start = re.search(r':start-at: "(.*)"', block).group(1)
        shown = code[code.index(start) :].splitlines()
        places = re.search(r":emphasize-lines: ([\d, ]+)", block).group(1).split(",")
        return [shown[int(place) - 1] for place in places]

    forward, backward = re.findall(r"```{literalinclude} \S*/tree.py\n(.*?)```", text, re.DOTALL)
    sides, state_of_the_node = marked(forward)
    assert "h_children[level] = h[children[level]]" in sides
    assert "h[level] = f(" in state_of_the_node
    slope, hand_down = marked(backward)
    assert "da[level] *= dh[level]" in slope and "@ W_h.T" in hand_down
