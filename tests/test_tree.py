"""The recursive network: both oracles, a chain is an RNN, and every tree as if it were alone."""

import ast

import numpy as np
import pytest
from cases import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach import RNN, Network, Readout
from rnn_teach.functional import ACTIVATIONS
from rnn_teach.gradcheck import check, complex_step, with_parameters
from rnn_teach.training import Adam, fit
from rnn_teach.tree import Recursive, bpts, labeled

SYMBOLS = "+*-012"
# a leaf, an expression, a node of three, a chain, and a node without its second child
TREES = [
    "1",
    ("+", "1", ("*", "2", "0")),
    ("+", ("*", "1", "1", "2"), ("-", "2"), "0"),
    ("0", ("1", ("2", ("0", ("1",))))),
    ("*", ("-", ("+", "1", "2"))),
]

exactly_again = settings(derandomize=True, deadline=None, max_examples=30)


def layer_of(symbols=SYMBOLS, H=4, *, arity=3, nonlinearity="tanh", seed=0):
    """A layer whose bias is not zero, or a wrong one would go unnoticed."""
    rng = np.random.default_rng(seed)
    layer = Recursive(symbols, H, rng=rng, arity=arity, nonlinearity=nonlinearity)
    layer.b += rng.normal(size=H) / 4
    for p in layer.parameters.values():
        frozen(p)
    return layer


def loss_and_gradients(layer, trees, seed=0):
    """A loss that asks every node and, once more, every root."""
    rng = np.random.default_rng(seed)
    trace = layer.forward(trees)
    dh = frozen(rng.normal(size=trace.h.shape))
    dstate = frozen(rng.normal(size=trace.final.shape))

    def loss(p):
        trace = with_parameters(layer, p).forward(trees)
        return (dh * trace.h).sum() + (dstate * trace.final).sum()

    return loss, layer.parameters, layer.backward(trace, dh, dstate)


@pytest.mark.parametrize("nonlinearity", ACTIVATIONS)
def test_gradients_satisfy_both_oracles(nonlinearity):
    layer = layer_of(nonlinearity=nonlinearity)
    check(*loss_and_gradients(layer, TREES), rng=np.random.default_rng(1))


some_trees = st.lists(
    st.recursive(
        st.sampled_from(SYMBOLS),
        lambda children: st.tuples(
            st.sampled_from(SYMBOLS), st.lists(children, min_size=1, max_size=3)
        ).map(lambda node: (node[0], *node[1])),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@exactly_again
@given(trees=some_trees, H=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_gradients_of_any_trees(trees, H, seed):
    layer = layer_of(H=H, seed=seed)
    rng = np.random.default_rng(seed)
    report = complex_step(*loss_and_gradients(layer, trees, seed), rng=rng, directions=1)
    assert report.error < 1e-12, report


@exactly_again
@given(trees=some_trees)
def test_the_equation_at_every_node(trees):
    """The recursion as a mathematician writes it, one node at a time."""
    layer = layer_of()

    def h(tree):
        symbol, *children = tree if isinstance(tree, tuple) else (tree,)
        a = layer.W_x[SYMBOLS.index(symbol)] + layer.b
        below = [h(child) for child in children]
        for child, W in zip(below, layer.W_h, strict=False):
            a = a + child @ W
        folded.append(np.tanh(a))
        return folded[-1]

    folded = []
    roots = [h(tree) for tree in trees]
    trace = layer.forward(trees)
    np.testing.assert_allclose(trace.h, folded, atol=1e-14)  # in the order of folding
    np.testing.assert_allclose(trace.final, roots, atol=1e-14)


def chain(codes):
    """x_1 at the leaf, x_T at the root."""
    tree = (int(codes[0]),)
    for code in codes[1:]:
        tree = (int(code), tree)
    return tree


@pytest.mark.parametrize("arity", [1, 2])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_a_left_branching_chain_is_an_rnn(arity, nonlinearity):
    rng = np.random.default_rng(0)
    T, N, D, H = 7, 3, 5, 4
    layer = layer_of(range(D), H, arity=arity, nonlinearity=nonlinearity)
    cell = RNN(D, H, rng=rng, nonlinearity=nonlinearity)
    cell.W_x, cell.W_h, cell.b = layer.W_x, layer.W_h[0], layer.b
    codes, dh = rng.integers(0, D, (T, N)), rng.normal(size=(T, N, H))

    in_time = cell.forward(np.eye(D)[codes])
    in_tree = layer.forward([chain(sequence) for sequence in codes.T])
    np.testing.assert_allclose(in_tree.h.reshape(N, T, H), in_time.h.swapaxes(0, 1), atol=1e-14)

    of_time = cell.backward(in_time, dh)
    of_tree = layer.backward(in_tree, dh.swapaxes(0, 1).reshape(N * T, H))
    np.testing.assert_allclose(
        of_tree["h"].reshape(N, T, H), of_time["h"].swapaxes(0, 1), atol=1e-13
    )
    np.testing.assert_allclose(of_tree["W_x"], of_time["W_x"], atol=1e-13)
    np.testing.assert_allclose(of_tree["W_h"][0], of_time["W_h"], atol=1e-13)
    np.testing.assert_allclose(of_tree["b"], of_time["b"], atol=1e-13)
    assert not of_tree["W_h"][1:].any()  # no node has a right child


def test_a_chain_longer_than_pythons_stack():
    trace = layer_of(range(3), 2).forward([chain(np.arange(5000) % 3)])
    assert trace.depth[0] == 4999 and len(trace.h) == 5000


def test_a_forest_is_its_trees_one_by_one():
    layer = layer_of()
    _, _, together = loss_and_gradients(layer, TREES)
    trace = layer.forward(TREES)
    ends = np.flatnonzero(trace.depth == 0) + 1
    rng = np.random.default_rng(0)
    dh, dstate = rng.normal(size=trace.h.shape), rng.normal(size=trace.final.shape)
    alone = dict.fromkeys(layer.parameters, 0)
    for n, tree in enumerate(TREES):
        nodes = slice(0 if n == 0 else ends[n - 1], ends[n])
        one = layer.forward([tree])
        np.testing.assert_allclose(one.h, trace.h[nodes], atol=1e-14)
        np.testing.assert_array_equal(one.depth, trace.depth[nodes])
        grads = layer.backward(one, dh[nodes], dstate[n : n + 1])
        np.testing.assert_allclose(grads["h"], together["h"][nodes], atol=1e-13)
        alone = {name: alone[name] + grads[name] for name in alone}
    for name, gradient in alone.items():
        np.testing.assert_allclose(gradient, together[name], atol=1e-12)


def test_h_is_the_gradient_at_every_node():
    """Each node's own bias, moved alone: dL/da = dL/dh f'(a)."""
    symbols = range(5)
    layer = layer_of(symbols, nonlinearity="identity")
    tree = (0, (1, 2, 3), 4)  # every symbol once, so a row of W_x belongs to one node
    _, _, grads = loss_and_gradients(layer, [tree])
    trace = layer.forward([tree])
    np.testing.assert_allclose(grads["h"], grads["W_x"][trace.symbol], atol=1e-14)


def test_an_expression_of_python_is_its_tuples():
    tuples = ("+", 1, ("*", "x", ("-", 2)))
    layer = layer_of(["+", "*", "-", 1, 2, "x"])
    tree = ast.parse("1 + x * -2", mode="eval")
    for a, b in zip(layer.forward([tree]), layer.forward([tuples]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_python_expressions_have_names():
    trees = [ast.parse(code, mode="eval") for code in ("x < 1 or f(x)", "[x, 1]", "x // 1")]
    layer = layer_of(["Or", "Lt", "Call", "List", "FloorDiv", "x", "f", 1])
    trace = layer.forward(trees)
    assert [layer.symbols[k] for k in trace.symbol] == (
        ["x", 1, "Lt", "f", "x", "Call", "Or"] + ["x", 1, "List"] + ["x", 1, "FloorDiv"]
    )


def test_bare_binary_trees_get_a_symbol():
    assert labeled(((1, 2), (3, (4, 5))), "+") == ("+", ("+", 1, 2), ("+", 3, ("+", 4, 5)))


def test_the_same_bits_twice():
    layer = layer_of()
    _, _, once = loss_and_gradients(layer, TREES)
    _, _, again = loss_and_gradients(layer, TREES)
    for name, gradient in once.items():
        np.testing.assert_array_equal(gradient, again[name])


def test_float32_parameters_give_float32():
    single = {name: p.astype(np.float32) for name, p in layer_of().parameters.items()}
    layer = with_parameters(layer_of(), single)
    trace = layer.forward(TREES)
    grads = layer.backward(trace, np.ones(trace.h.shape, np.float32))
    assert trace.h.dtype == np.float32
    assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_bpts_satisfies_both_oracles(loss):
    network = Network(layer_of(), Readout(4, 3, rng=np.random.default_rng(1)))
    rng = np.random.default_rng(2)
    N = len(TREES)
    target = frozen(rng.integers(0, 3, N) if loss == "cross_entropy" else rng.normal(size=(N, 3)))
    grads = bpts(network, TREES, target, loss=loss).grads

    def value(p):
        return bpts(with_parameters(network, p), TREES, target, loss=loss).loss

    check(value, network.parameters, grads, rng=rng)


def test_bpts_is_the_mean_over_trees():
    network = Network(layer_of(), Readout(4, 3, rng=np.random.default_rng(1)))
    target = np.arange(len(TREES)) % 3
    together = bpts(network, TREES, target)
    alone = [bpts(network, [tree], target[[n]]) for n, tree in enumerate(TREES)]
    np.testing.assert_allclose(together.loss, np.mean([one.loss for one in alone]), rtol=1e-14)
    np.testing.assert_allclose(together.y, np.concatenate([one.y for one in alone]), rtol=1e-13)
    network = with_parameters(network, {"readout.b_y": np.full(3, np.inf)})
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="loss: expected"):
        bpts(network, TREES, target)


def test_it_learns_logic_and_applies_it_to_deeper_trees():
    rng = np.random.default_rng(0)

    def formula(depth):
        """A tree of this depth and whether it is true."""
        if depth == 0:
            truth = bool(rng.integers(2))
            return truth, truth
        kind = rng.choice(["and", "or", "not"])
        one, p = formula(depth - 1)
        if kind == "not":
            return ("not", one), not p
        other, q = formula(depth - 1)
        return (kind, one, other), (p and q) if kind == "and" else (p or q)

    def batch(size, depth):
        trees, truth = zip(*(formula(depth) for _ in range(size)), strict=True)
        return list(trees), np.array(truth, int)

    symbols = ["and", "or", "not", True, False]
    network = Network(Recursive(symbols, 8, rng=rng), Readout(8, 2, rng=rng))
    batches = ((*batch(32, 3), None, False) for _ in range(300))
    fit(network, batches, steps=300, optimizer=Adam(0.02), progress=False, bptt=bpts)
    trees, truth = batch(300, 5)
    right = bpts(network, trees, truth).y.argmax(axis=1) == truth
    assert right.mean() > 0.95, right.mean()


@pytest.mark.parametrize(
    ("trees", "error", "message"),
    [
        (("+", "1", "2"), TypeError, "trees: expected a list of trees, got tuple"),
        ([], ValueError, "trees: expected at least one tree"),
        (["7"], ValueError, "trees: expected symbols of .* got '7'"),
        ([["+", "1"]], ValueError, r"trees: expected symbols of .* got \['\+', '1'\]"),
        ([()], ValueError, r"trees: expected tuples \(symbol, child, ...\), got \(\)"),
        ([(("1", "2"), "0")], ValueError, r"trees: expected tuples \(symbol, child, ...\), got"),
        ([("+", "1", "2", "0", "1")], ValueError, r"at most arity=3 children, got 4 under '\+'"),
    ],
)
def test_wrong_trees_are_named(trees, error, message):
    with pytest.raises(error, match=message):
        layer_of().forward(trees)


def test_wrong_arguments_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="symbols: expected symbols, each once, got"):
        Recursive("aa", 3, rng=rng)
    with pytest.raises(ValueError, match="arity: expected an integer of at least 1, got 0"):
        Recursive("a", 3, rng=rng, arity=0)
    layer = layer_of()
    trace = layer.forward(TREES)
    M = len(trace.h)
    with pytest.raises(ValueError, match=rf"dh: expected shape \(M={M}, H=4\), got \({M}, 3\)"):
        layer.backward(trace, np.ones((M, 3)))
    with pytest.raises(ValueError, match=r"dstate: expected shape \(N=5, H=4\), got \(4, 4\)"):
        layer.backward(trace, np.ones((M, 4)), np.ones((4, 4)))
    with pytest.raises(TypeError, match="trace: expected TreeTrace, got tuple"):
        layer.backward(tuple(trace), np.ones((M, 4)))
    for name in ("state", "lengths"):
        with pytest.raises(TypeError, match=f"{name}: expected None, as a tree has none, got list"):
            bpts(Network(layer, Readout(4, 3, rng=rng)), TREES, np.zeros(5, int), **{name: [1]})
    with pytest.raises(ValueError, match=r"W_h: expected shape \(3, 4, 4\), got \(4, 4\)"):
        with_parameters(layer, {"W_h": np.ones((4, 4))}).forward(TREES)
