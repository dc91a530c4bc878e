"""The four ways to be deep: both oracles on each, and what a path through the layers does."""

import numpy as np
import pytest
from cases import CELLS, KINDS, cell_of, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import (
    assert_each_sequence_is_alone,
    assert_keeps_the_house_rules,
    flat,
    layer_case,
    loss_and_gradients,
    nested,
    run,
)

from rnn_teach import GRU, LSTM, RNN, Network, Readout, bptt
from rnn_teach.deep import Chain, DeepTransition, Dense
from rnn_teach.gradcheck import check, complex_step, with_parameters


def rng():
    return np.random.default_rng(7)


WAYS = {
    "stacked": lambda: Chain([RNN(2, 4, rng=rng()), RNN(4, 3, rng=rng())]),
    "stacked-gated": lambda: Chain(
        [LSTM(2, 3, rng=rng()), GRU(3, 4, rng=rng()), GRU(4, 2, rng=rng(), reset="before")]
    ),
    "input-to-hidden": lambda: Chain([Dense(2, 4, rng=rng()), RNN(4, 3, rng=rng())]),
    "hidden-to-hidden": lambda: DeepTransition(2, 3, rng=rng(), depth=2),
    "hidden-to-hidden-4": lambda: DeepTransition(2, 3, rng=rng(), depth=4),
    "hidden-to-output": lambda: Chain([LSTM(2, 4, rng=rng()), Dense(4, 3, rng=rng())]),
    "all-four": lambda: Chain(
        [
            Dense(2, 3, rng=rng(), nonlinearity="elu"),
            Chain([DeepTransition(3, 4, rng=rng()), LSTM(4, 2, rng=rng())]),
            Dense(2, 4, rng=rng()),
            Dense(4, 3, rng=rng()),
        ]
    ),
    "dense": lambda: Dense(2, 3, rng=rng()),
}
each_way = pytest.mark.parametrize("way", WAYS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


@each_way
@full_or_ragged
def test_gradients_satisfy_both_oracles(way, ragged):
    loss, params, grads = loss_and_gradients(layer_case(WAYS[way](), ragged=ragged))
    check(loss, params, grads, rng=np.random.default_rng(1))


@pytest.mark.parametrize("kind", CELLS)
def test_any_cell_stacks(kind):
    chain = Chain([cell_of(kind, 2, 3, rng()), cell_of(kind, 3, 2, rng())])
    for p in chain.parameters.values():
        p.flags.writeable = True
    check(*loss_and_gradients(layer_case(chain, ragged=True)), rng=np.random.default_rng(1))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    kinds=st.lists(st.sampled_from(["dense", "deep", *KINDS]), min_size=1, max_size=4),
    sizes=st.tuples(*[st.integers(1, 4)] * 7),
    data=st.data(),
)
def test_any_chain_has_the_right_gradient(kinds, sizes, data):
    T, N, *widths = sizes
    make = {
        "dense": lambda D, H: Dense(D, H, rng=rng()),
        "deep": lambda D, H: DeepTransition(D, H, rng=rng(), depth=3),
    }
    make |= {kind: lambda D, H, kind=kind: CELLS[kind](D, H, rng()) for kind in KINDS}
    chain = Chain([make[k](widths[i], widths[i + 1]) for i, k in enumerate(kinds)])
    lengths = data.draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    c = layer_case(chain, T, N)._replace(lengths=None if lengths is None else np.array(lengths))
    report = complex_step(*loss_and_gradients(c), rng=np.random.default_rng(0), directions=1)
    assert report.error < 1e-12, report


@each_way
def test_a_ragged_batch_is_each_sequence_alone(way):
    assert_each_sequence_is_alone(layer_case(WAYS[way](), ragged=True))


@each_way
@full_or_ragged
def test_house_rules(way, ragged):
    assert_keeps_the_house_rules(layer_case(WAYS[way](), ragged=ragged))


@each_way
def test_after_its_end_a_sequence_keeps_its_h(way):
    c = layer_case(WAYS[way](), ragged=True)
    h = run(c)[0].h
    for n, T in enumerate(c.lengths):
        assert (h[T:, n] == h[T - 1, n]).all()


@each_way
def test_going_on_from_the_final_state_is_going_on(way):
    c = layer_case(WAYS[way]())
    whole = run(c)[0]
    first = c.layer.forward(c.x[:2], nested(c.layer, c.initial))
    second = c.layer.forward(c.x[2:], first.final)
    np.testing.assert_allclose(np.concatenate([first.h, second.h]), whole.h, atol=1e-14)
    for ours, theirs in zip(flat(second.final), flat(whole.final), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)


# what the composition is


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_of_one_layer_is_the_layer_to_the_bit(kind):
    cell = CELLS[kind](2, 3, rng())
    c = layer_case(Chain([cell]), ragged=True)
    trace, grads = run(c)
    plain = cell.forward(c.x, nested(c.layer, c.initial)[0], c.lengths)
    expected = cell.backward(plain, c.dh, nested(c.layer, c.dfinal)[0])
    np.testing.assert_array_equal(trace.h, plain.h)
    np.testing.assert_array_equal(flat(trace.final), flat(plain.final))
    for name, gradient in expected.items():
        np.testing.assert_array_equal(grads[name if name == "x" else f"0.{name}"], gradient)
    np.testing.assert_array_equal(grads["h"], expected["h"])


def test_chains_of_chains_are_one_chain_to_the_bit():
    a, b, d = LSTM(2, 3, rng=rng()), GRU(3, 4, rng=rng()), RNN(4, 2, rng=rng())
    c = layer_case(Chain([a, b, d]), ragged=True)
    one, grads = run(c)
    for inside, names in (
        (Chain([Chain([a, b]), d]), {"0": "0.0", "1": "0.1", "2": "1"}),
        (Chain([a, Chain([b, d])]), {"0": "0", "1": "1.0", "2": "1.1"}),
    ):
        initial, dfinal = (
            {f"{names[name[0]]}{name[1:]}": value for name, value in states.items()}
            for states in (c.initial, c.dfinal)
        )
        other, nested_grads = run(c._replace(layer=inside, initial=initial, dfinal=dfinal))
        np.testing.assert_array_equal(other.h, one.h)
        for name, gradient in grads.items():
            inner = name if name in ("x", "h") else f"{names[name[0]]}{name[1:]}"
            np.testing.assert_array_equal(nested_grads[inner], gradient, err_msg=name)


def test_each_layer_reads_the_h_below():
    c = layer_case(WAYS["stacked-gated"](), ragged=True)
    trace, _ = run(c)
    h = c.x
    for layer, start, inner in zip(
        c.layer.layers, nested(c.layer, c.initial), trace.layers, strict=True
    ):
        h = layer.forward(h, start, c.lengths).h
        np.testing.assert_array_equal(inner.h, h)
    np.testing.assert_array_equal(trace.h, h)
    np.testing.assert_array_equal(trace.mask, np.arange(5)[:, None] < c.lengths)


def test_h_of_a_layer_is_its_total_gradient():
    """It reaches the loss through its own next step, and through the layer above at the same step."""
    c = layer_case(WAYS["stacked"]())
    trace, grads = run(c)
    dfinal = nested(c.layer, c.dfinal)
    above = c.layer.layers[1].backward(trace.layers[1], c.dh, dfinal[1])["x"]
    for t in range(1, len(c.x)):
        state = tuple(inner.h[t - 1] for inner in trace.layers)
        rest = c.layer.backward(c.layer.forward(c.x[t:], state), c.dh[t:], dfinal)
        np.testing.assert_allclose(grads["0.h"][t - 1], above[t - 1] + rest["0.h0"], atol=1e-13)
        np.testing.assert_allclose(grads["1.h"][t - 1], c.dh[t - 1] + rest["1.h0"], atol=1e-13)
    np.testing.assert_allclose(grads["0.h"][-1], above[-1] + dfinal[0], atol=1e-13)
    assert grads["h"] is grads["1.h"]


def test_dense_is_the_same_layer_at_every_step():
    c = layer_case(Dense(2, 3, rng=rng()))
    trace, grads = run(c)
    np.testing.assert_allclose(trace.h, np.tanh(c.x @ c.layer.W_x + c.layer.b), atol=1e-15)
    order = np.array([3, 0, 4, 1, 2])
    shuffled, shuffled_grads = run(c._replace(x=c.x[order], dh=c.dh[order]))
    np.testing.assert_array_equal(shuffled.h, trace.h[order])
    np.testing.assert_allclose(shuffled_grads["x"], grads["x"][order], atol=1e-15)
    np.testing.assert_allclose(shuffled_grads["W_x"], grads["W_x"], atol=1e-14)
    assert trace.final is None


# in a network


@each_way
@pytest.mark.parametrize("at", ["every", "last"])
def test_a_network_of_each_way_has_the_right_gradient(way, at):
    c = layer_case(WAYS[way](), ragged=True)
    network = Network(c.layer, Readout(3 if way != "stacked-gated" else 2, 2, rng=rng()))
    target = np.zeros((5, 3) if at == "every" else 3, int)
    options = {"at": at, "lengths": c.lengths}

    def loss(p):
        return bptt(with_parameters(network, p), p["x"], target, **options).loss

    grads = bptt(network, c.x, target, **options).grads
    check(loss, network.parameters | {"x": c.x}, grads, rng=np.random.default_rng(1))
    for name, p in network.parameters.items():
        assert grads[name].shape == p.shape


def test_parameters_are_the_arrays_themselves():
    chain = WAYS["all-four"]()
    assert chain.parameters["1.0.W_2"] is chain.layers[1].layers[0].W_2
    assert list(chain.parameters)[:4] == ["0.W_x", "0.b", "1.0.W_x", "1.0.W_h"]
    assert (chain.D, chain.H) == (2, 3)
    network = Network(chain, Readout(3, 2, rng=rng()))
    x, target = rng().normal(size=(5, 3, 2)), np.zeros((5, 3), int)
    before = bptt(network, x, target)
    for name, p in network.parameters.items():
        p -= 0.1 * before.grads[name]
    assert bptt(network, x, target).loss < before.loss


# errors


def test_layers_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="layers: expected at least one layer, got none"):
        Chain([])
    with pytest.raises(ValueError, match=r"layers\[1\]: expected D=4, .* H=4, got D=3"):
        Chain([RNN(2, 4, rng=rng()), RNN(3, 2, rng=rng())])


X = frozen(np.zeros((4, 3, 2)))
H0 = frozen(np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X[:, :, :1],), ValueError, r"^x: expected shape \(T, N, D=2\), got \(4, 3, 1\)"),
        ((X * np.nan,), ValueError, "^x: expected finite numbers, got nan"),
        ((X, None, [5, 1, 1]), ValueError, r"^lengths: .* 1\.\.T=4, got 5"),
        ((X, H0), TypeError, "^state: expected a tuple of 2, one for each layer, got ndarray"),
        ((X, (None,)), TypeError, "^state: expected a tuple of 2, .* got 1 things"),
        ((X, (H0[:, :1], None)), ValueError, r"^layer 0: state: expected .* got \(3, 1\)"),
        ((X, (None, H0)), TypeError, "^layer 1: state: expected None, .* no state, got ndarray"),
    ],
)
def test_wrong_arguments_of_forward_are_named(arguments, error, message):
    chain = Chain([RNN(2, 4, rng=rng()), Dense(4, 3, rng=rng())])
    with pytest.raises(error, match=message):
        chain.forward(*arguments)


def test_wrong_arguments_of_backward_are_named():
    chain = Chain([RNN(2, 4, rng=rng()), Dense(4, 3, rng=rng())])
    trace, dh = chain.forward(X), np.zeros((4, 3, 3))
    with pytest.raises(ValueError, match=r"^dh: expected shape .* got \(4, 3, 4\)"):
        chain.backward(trace, np.zeros((4, 3, 4)))
    with pytest.raises(TypeError, match="^trace: expected ChainTrace, got RNNTrace"):
        chain.backward(trace.layers[0], np.zeros((4, 3, 4)))
    with pytest.raises(ValueError, match="^trace: expected 2 layers, got 1"):
        chain.backward(Chain(chain.layers[:1]).forward(X), np.zeros((4, 3, 4)))
    with pytest.raises(TypeError, match="^dstate: expected a tuple of 2, .* got ndarray"):
        chain.backward(trace, dh, H0)
    with pytest.raises(TypeError, match="^layer 1: dstate: expected None"):
        chain.backward(trace, dh, (None, H0))
