"""Reading from both ends: both oracles, what each direction may know, and ragged batches."""

import numpy as np
import pytest
from cases import CELLS, KINDS, frozen
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
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.deep import Chain, DeepTransition, Dense
from rnn_teach.gradcheck import check, complex_step, with_parameters


def rng():
    return np.random.default_rng(7)


def both(kind, D=2, H=3, **options):
    """The two directions have weights of their own: layer_case moves them apart."""
    return Bidirectional(CELLS[kind](D, H, rng()), CELLS[kind](D, H, rng()), **options)


LAYERS = {
    **{kind: lambda kind=kind: both(kind) for kind in CELLS},
    "sum": lambda: both("LSTM", merge="sum"),
    "unaligned": lambda: both("GRU-after", align=False),
    "unaligned-sum": lambda: both("RNN-tanh", align=False, merge="sum"),
    "two-kinds": lambda: Bidirectional(LSTM(2, 4, rng=rng()), GRU(2, 1, rng=rng())),
    "deep-in-each-direction": lambda: Bidirectional(
        Chain([RNN(2, 3, rng=rng()), Dense(3, 2, rng=rng())]), DeepTransition(2, 3, rng=rng())
    ),
    "stacked": lambda: Chain([both("LSTM"), both("GRU-before", D=6, merge="sum")]),
    "under-a-cell": lambda: Chain([both("RNN-tanh"), LSTM(6, 2, rng=rng())]),
    "unaligned-under-dense": lambda: Chain(
        [both("LSTM", align=False), Dense(6, 2, rng=rng(), nonlinearity="sigmoid")]
    ),
}
each_layer = pytest.mark.parametrize("name", LAYERS)
each_kind = pytest.mark.parametrize("kind", KINDS)
each_merge = pytest.mark.parametrize("merge", ["concat", "sum"])
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


@each_layer
@full_or_ragged
def test_gradients_satisfy_both_oracles(name, ragged):
    loss, params, grads = loss_and_gradients(layer_case(LAYERS[name](), ragged=ragged))
    check(loss, params, grads, rng=np.random.default_rng(1))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    options=st.fixed_dictionaries(
        {"merge": st.sampled_from(["concat", "sum"]), "align": st.booleans()}
    ),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    data=st.data(),
)
def test_gradients_of_any_shape_lengths_and_options(kinds, options, sizes, data):
    T, N, D, H = sizes
    layer = Bidirectional(*(CELLS[kind](D, H, rng()) for kind in kinds), **options)
    lengths = data.draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    c = layer_case(layer, T, N)._replace(lengths=None if lengths is None else np.array(lengths))
    report = complex_step(*loss_and_gradients(c), rng=np.random.default_rng(0), directions=1)
    assert report.error < 1e-12, report


@each_layer
def test_a_ragged_batch_is_each_sequence_alone(name):
    assert_each_sequence_is_alone(layer_case(LAYERS[name](), ragged=True))


@each_layer
@full_or_ragged
def test_house_rules(name, ragged):
    assert_keeps_the_house_rules(layer_case(LAYERS[name](), ragged=ragged))


# what the two directions are


@each_kind
@each_merge
@pytest.mark.parametrize("align", [True, False])
def test_each_direction_is_its_layer_alone_to_the_bit(kind, merge, align):
    layer = both(kind, merge=merge, align=align)
    c = layer_case(layer)
    trace, grads = run(c)
    first, second = nested(layer, c.initial)
    u = layer.forward_layer.forward(c.x, first)
    v = layer.backward_layer.forward(c.x[::-1], second)
    v_h = v.h[::-1] if align else v.h
    together = np.concatenate([u.h, v_h], axis=2) if merge == "concat" else u.h + v_h
    np.testing.assert_array_equal(trace.h, together)
    for ours, theirs in zip(flat(trace.final), [*flat(u.final), *flat(v.final)], strict=True):
        np.testing.assert_array_equal(ours, theirs)

    du, dv = (c.dh[:, :, :3], c.dh[:, :, 3:]) if merge == "concat" else (c.dh, c.dh)
    first, second = nested(layer, c.dfinal)
    forward = layer.forward_layer.backward(u, du, first)
    backward = layer.backward_layer.backward(v, dv[::-1] if align else dv, second)
    np.testing.assert_array_equal(grads["x"], forward.pop("x") + backward.pop("x")[::-1])
    for direction, expected in (("forward", forward), ("backward", backward)):
        for name, gradient in expected.items():
            np.testing.assert_array_equal(grads[f"{direction}.{name}"], gradient, err_msg=name)


@each_kind
@each_merge
def test_a_palindrome_reads_the_same_from_both_ends(kind, merge):
    """With the same weights in both directions the output is the same from both ends, too."""
    layer = both(kind, merge=merge)
    tied = {
        f"{direction}.{name}": p + 0.1
        for direction in layer.parts
        for name, p in layer.forward_layer.parameters.items()
    }
    layer = with_parameters(layer, tied)
    half = rng().normal(size=(3, 2, 2))
    trace = layer.forward(np.concatenate([half, half[1::-1]]))
    mirrored = trace.h[::-1]
    if merge == "concat":
        mirrored = np.concatenate([mirrored[:, :, 3:], mirrored[:, :, :3]], axis=2)
    np.testing.assert_allclose(trace.h, mirrored, atol=1e-15)
    grads = layer.backward(trace, np.ones_like(trace.h))
    np.testing.assert_allclose(grads["x"], grads["x"][::-1], atol=1e-14)
    for name in layer.forward_layer.parameters:
        np.testing.assert_allclose(
            grads[f"forward.{name}"], grads[f"backward.{name}"], atol=1e-13, err_msg=name
        )


@each_kind
def test_one_half_knows_the_past_and_the_other_the_future(kind):
    c = layer_case(both(kind), ragged=True)
    trace, _ = run(c)
    for t in range(5):
        for half, known in ((slice(0, 3), range(t + 1)), (slice(3, 6), range(t, 5))):
            dh = np.zeros_like(c.dh)
            dh[t, :, half] = c.dh[t, :, half]
            dx = c.layer.backward(trace, dh)["x"]
            for n, T in enumerate(c.lengths):
                if t < T:  # afterwards both halves show what they ended with
                    moved = {s for s in range(5) if dx[s, n].any()}
                    assert moved == {s for s in known if s < T}, (t, half, n)
                else:
                    assert dx[:T, n].any() and not dx[T:, n].any()


def test_the_last_step_has_read_everything_only_if_unaligned():
    for align, known in ((True, {4}), (False, {0, 1, 2, 3, 4})):
        c = layer_case(both("LSTM", align=align))
        dh = np.zeros_like(c.dh)
        dh[-1, :, 3:] = 1  # the backward half of the last step
        dx = c.layer.backward(run(c)[0], dh)["x"]
        assert {t for t in range(5) if dx[t].any()} == known
        assert c.layer.last_has_read_all is not align
    trace = run(c)[0]
    ends = np.concatenate([trace.final[0][0], trace.final[1][0]], axis=1)
    np.testing.assert_array_equal(trace.h[-1], ends)


@full_or_ragged
def test_after_its_end_a_sequence_shows_what_both_layers_ended_with(ragged):
    c = layer_case(both("GRU-after"), ragged=ragged)
    trace, _ = run(c)
    ends = np.concatenate(trace.final, axis=1)
    for n, T in enumerate([5, 5, 5] if c.lengths is None else c.lengths):
        assert (trace.h[T:, n] == ends[n]).all()
        np.testing.assert_array_equal(trace.h[T - 1, n, :3], ends[n, :3])
        np.testing.assert_array_equal(trace.h[0, n, 3:], ends[n, 3:])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_the_order_of_reading_is_its_own_inverse(lengths):
    T, N = 9, len(lengths)
    layer = Bidirectional(RNN(1, 1, rng=rng()), RNN(1, 1, rng=rng()))
    x = np.arange(1.0, T * N + 1).reshape(T, N, 1)
    trace = layer.forward(x, lengths=lengths)
    for n, length in enumerate(lengths):
        np.testing.assert_array_equal(trace.backward.x[:length, n], x[:length, n][::-1])
        np.testing.assert_array_equal(trace.backward.x[length:, n], x[length:, n])
        np.testing.assert_array_equal(trace.order[trace.order[:, n], n], np.arange(T))


def test_parameters_are_the_arrays_themselves():
    layer = LAYERS["two-kinds"]()
    assert layer.parameters["forward.W_h"] is layer.forward_layer.W_h
    assert layer.parameters["backward.b_hn"] is layer.backward_layer.b_hn
    assert (layer.D, layer.H) == (2, 5)
    assert both("LSTM", merge="sum").H == 3


# in a network


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, "every") for name in ("LSTM", "sum", "unaligned", "two-kinds", "stacked")]
    + [(name, "last") for name in ("unaligned", "unaligned-sum", "under-a-cell")]
    + [("unaligned-under-dense", "last")],
)
def test_a_network_has_the_right_gradient(name, at):
    c = layer_case(LAYERS[name](), ragged=True)
    network = Network(c.layer, Readout(c.layer.H, 2, rng=rng()))
    target = np.zeros((5, 3) if at == "every" else 3, int)
    options = {"at": at, "lengths": c.lengths}

    def loss(p):
        return bptt(with_parameters(network, p), p["x"], target, **options).loss

    result = bptt(network, c.x, target, **options)
    check(loss, network.parameters | {"x": c.x}, result.grads, rng=np.random.default_rng(1))
    alone = [
        bptt(network, c.x[:T, n : n + 1], target[..., n : n + 1][:T], at=at).loss
        for n, T in enumerate(c.lengths)
    ]
    assert result.loss == pytest.approx(np.mean(alone), rel=1e-13)


@pytest.mark.parametrize(
    "layer",
    [
        both("LSTM"),
        Chain([both("RNN-tanh"), Dense(6, 2, rng=rng())]),
        Chain([both("RNN-tanh", align=False), both("RNN-tanh", D=6)]),
        Chain([Chain([both("RNN-tanh"), Dense(6, 2, rng=rng())]), Dense(2, 2, rng=rng())]),
    ],
)
def test_asking_the_last_step_of_an_aligned_layer_is_an_error(layer):
    network = Network(layer, Readout(layer.H, 2, rng=rng()))
    with pytest.raises(ValueError, match=r'at: "last" .* Bidirectional\(\.\.\., align=False\)'):
        bptt(network, np.zeros((4, 1, 2)), np.zeros(1, int), at="last")


# errors


def test_layers_that_do_not_fit_are_named():
    a, b = RNN(2, 3, rng=rng()), RNN(2, 4, rng=rng())
    with pytest.raises(ValueError, match="merge: expected one of 'concat', 'sum', got 'mean'"):
        Bidirectional(a, a, merge="mean")
    with pytest.raises(ValueError, match="backward_layer: expected D=2, .* got D=3"):
        Bidirectional(a, RNN(3, 3, rng=rng()))
    with pytest.raises(ValueError, match="backward_layer: expected H=3, .* got H=4"):
        Bidirectional(a, b, merge="sum")
    with pytest.raises(TypeError, match="align: expected True or False, got 'yes'"):
        Bidirectional(a, b, align="yes")
    assert Bidirectional(a, b).H == 7


X = frozen(np.zeros((4, 3, 2)))
H0 = frozen(np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X[:, :, :1],), ValueError, r"^x: expected shape \(T, N, D=2\), got \(4, 3, 1\)"),
        ((X, None, [5, 1, 1]), ValueError, r"^lengths: .* 1\.\.T=4, got 5"),
        ((X, H0), TypeError, "^state: expected a tuple of 2, one for each layer, got ndarray"),
        ((X, (H0[:, :1], None)), ValueError, r"^forward layer: state: .* got \(3, 1\)"),
        ((X, (None, H0[:, :1])), ValueError, r"^backward layer: state: .* got \(3, 1\)"),
    ],
)
def test_wrong_arguments_of_forward_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        both("RNN-tanh").forward(*arguments)


def test_wrong_arguments_of_backward_are_named():
    layer = both("RNN-tanh")
    trace, dh = layer.forward(X), np.zeros((4, 3, 6))
    with pytest.raises(ValueError, match=r"^dh: expected shape .* got \(4, 3, 3\)"):
        layer.backward(trace, dh[:, :, :3])
    with pytest.raises(TypeError, match="^trace: expected BidirectionalTrace, got RNNTrace"):
        layer.backward(trace.forward, dh[:, :, :3])
    with pytest.raises(TypeError, match="^dstate: expected a tuple of 2, .* got ndarray"):
        layer.backward(trace, dh, H0)
    with pytest.raises(ValueError, match="^backward layer: dstate: expected finite numbers"):
        layer.backward(trace, dh, (H0, H0 * np.nan))
