"""The encoder-decoder: both oracles all the way, padding, learning, and the house rules."""

import numpy as np
import pytest
from cases import cell_of
from encoder_decoders import (
    ATTENTIONS,
    END,
    KINDS,
    D,
    H,
    K,
    N,
    S,
    attention_of,
    data,
    each_attention,
    each_kind,
    full_or_ragged,
    initial_of,
    loss_of,
    network_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import nested

from rnn_teach import GRU, LSTM, Readout
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.cells.normalized import NormalizedGRU
from rnn_teach.deep import Chain, DeepTransition, Dense
from rnn_teach.gradcheck import check, complex_step, with_parameters
from rnn_teach.seq2seq import Additive, EncoderDecoder, greedy, teacher_forcing
from rnn_teach.training import Adam, fit

exactly_again = settings(derandomize=True, deadline=None, max_examples=20)


def loss_and_gradients(network, *, ragged, over_time="mean"):
    """The loss as a function of all parameters, the source and the encoder's initial state."""
    x, target, lengths = data(network, ragged=ragged)
    initial = initial_of(network.encoder)
    params = network.parameters | {"encoder.x": x}
    params |= {f"encoder.{name}": array for name, array in initial.items()}

    def loss(p):
        state = nested(network.encoder, {name: p[f"encoder.{name}"] for name in initial})
        other = with_parameters(network, {k: p[k] for k in network.parameters})
        return loss_of(other, p["encoder.x"], target, over_time, state=state, lengths=lengths)

    state = nested(network.encoder, initial)
    result = teacher_forcing(network, x, target, over_time=over_time, state=state, lengths=lengths)
    assert result.loss == loss(params)
    return loss, params, result.grads


@each_kind
@each_attention
@full_or_ragged
def test_gradients_satisfy_both_oracles(kind, attention, ragged):
    network = network_of(kind, attention)
    over_time = "mean" if ragged else "sum"
    loss = loss_and_gradients(network, ragged=ragged, over_time=over_time)
    check(*loss, rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("kind", "merge", "attention"),
    [
        ("LSTM", "concat", None),
        ("LSTM", "sum", "additive"),
        ("GRU-after", "concat", "additive"),
        ("GRU-after", "sum", "dot product"),
    ],
)
def test_gradients_with_a_bidirectional_encoder(kind, merge, attention):
    rng = np.random.default_rng(0)
    encoder = Bidirectional(cell_of(kind, D, H, rng), cell_of(kind, D, H, rng), merge)
    network = network_of(kind, attention, encoder=encoder)
    check(*loss_and_gradients(network, ragged=True), rng=rng)


@pytest.mark.parametrize("attention", [None, "dot product"], ids=str)
def test_gradients_of_deep_encoders_and_decoders(attention):
    def chain(D, rng):
        cells = [LSTM(D, H, rng=rng), Dense(H, H, rng=rng), GRU(H, H, rng=rng)]
        return Chain(cells)

    rng = np.random.default_rng(0)
    network = network_of(attention=attention, encoder=chain(D, rng), decoder=chain(K, rng))
    check(*loss_and_gradients(network, ragged=True), rng=rng)


@pytest.mark.parametrize("attention", [None, "additive"], ids=str)
@pytest.mark.parametrize(
    "cell",
    [
        lambda D, rng: LSTM(D, H, rng=rng, peephole=True, coupled=True),
        lambda D, rng: NormalizedGRU(D, H, rng=rng, norm="layer"),
        lambda D, rng: DeepTransition(D, H, rng=rng),
    ],
    ids=["peephole", "layer-norm", "deep-transition"],
)
def test_gradients_with_any_cell(cell, attention):
    rng = np.random.default_rng(0)
    encoder, decoder = cell(D, rng), cell(K + (H if attention else 0), rng)
    network = network_of(attention=attention, encoder=encoder, decoder=decoder)
    check(*loss_and_gradients(network, ragged=True), rng=np.random.default_rng(1))


@exactly_again
@given(
    kind=st.sampled_from(KINDS),
    attention=st.sampled_from(ATTENTIONS),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    seed=st.integers(0, 2**32 - 1),
    draw=st.data(),
)
def test_gradients_of_any_lengths_and_targets(kind, attention, sizes, seed, draw):
    S, T, N = sizes
    network = network_of(kind, attention, scale=1.0, seed=seed)
    lengths = draw.draw(st.none() | st.lists(st.integers(1, S), min_size=N, max_size=N))
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(S, N, D)), rng.integers(0, K, (T, N))

    params = network.parameters
    report = complex_step(
        lambda p: loss_of(with_parameters(network, p), x, target, lengths=lengths),
        params,
        teacher_forcing(network, x, target, lengths=lengths).grads,
        rng=rng,
        directions=1,
    )
    assert report.error < 1e-12, report


def test_without_attention_the_context_is_all_there_is():
    network = network_of("LSTM")
    x, target, lengths = data(network, ragged=True)
    result = teacher_forcing(network, x, target, lengths=lengths)
    final = network.encoder.forward(x, lengths=lengths).final
    read = np.eye(K)[np.concatenate([np.full((1, N), END), target[:-1]])]
    h = network.decoder.forward(read, final).h
    np.testing.assert_array_equal(result.y, network.readout.forward(h))
    assert result.trace.weights is None
    # the error reaches the last state of each source, and the others only through it
    dfinal = (result.grads["decoder.h0"], result.grads["decoder.c0"])
    np.testing.assert_allclose(result.grads["encoder.h"][-1], dfinal[0], atol=1e-15)


@each_kind
@each_attention
def test_padding_changes_nothing(kind, attention):
    """Neither what stands in it, nor how much of it there is: source and target."""
    network = network_of(kind, attention)
    x, target, lengths = data(network, ragged=True)
    result = teacher_forcing(network, x, target, lengths=lengths)

    other_x, other_target = x.copy(), target.copy()
    for n, length in enumerate(lengths):
        other_x[length:, n] = 99.0
        ends = int(np.argmax(target[:, n] == END)) + 1
        other_target[ends:, n] = K - 1
    other = teacher_forcing(network, other_x, other_target, lengths=lengths)
    assert other.loss == result.loss
    for name in network.parameters:
        np.testing.assert_array_equal(other.grads[name], result.grads[name], err_msg=name)
    np.testing.assert_array_equal(other.grads["encoder.x"], result.grads["encoder.x"])
    assert not other.grads["encoder.x"][other_x == 99.0].any()

    longer_x = np.concatenate([x, np.ones((3, N, D))])
    longer_target = np.concatenate([target, np.full((2, N), END)])
    longer = teacher_forcing(network, longer_x, longer_target, lengths=lengths)
    np.testing.assert_allclose(longer.loss, result.loss, rtol=1e-14)
    for name in network.parameters:
        np.testing.assert_allclose(longer.grads[name], result.grads[name], atol=1e-14)

    alone = [
        teacher_forcing(network, x[:length, [n]], target[:, [n]]).loss
        for n, length in enumerate(lengths)
    ]
    np.testing.assert_allclose(np.mean(alone), result.loss, rtol=1e-13)


def test_the_target_counts_up_to_its_end_symbol():
    network = network_of()
    x = np.ones((S, 4, D))
    target = np.array([[1, END, 2, 1], [2, 3, END, 1], [END, END, 3, 1]])
    mask = network.forward(x, target).mask
    assert mask.T.tolist() == [[True] * 3, [True, False, False], [True, True, False], [True] * 3]


# learning


def reversals(rng, batches, size=32, length=3, symbols=4):
    """Sources of symbols 1..symbols-1, one-hot; the target says them backward, and ends."""
    for _ in range(batches):
        said = rng.integers(1, symbols, (length, size))
        target = np.concatenate([said[::-1], np.full((1, size), END)])
        yield np.eye(symbols)[said], target, None, False


@each_attention
def test_it_learns_to_reverse(attention):
    rng = np.random.default_rng(0)
    M = 16
    layer = attention_of(attention, M, M, rng)
    inputs = 4 + (M if attention == "additive" else 0)
    network = EncoderDecoder(
        GRU(4, M, rng=rng), GRU(inputs, M, rng=rng), Readout(M, 4, rng=rng), layer, end=END
    )
    optimizer = Adam(0.02)
    fit(
        network,
        reversals(rng, 300),
        steps=300,
        optimizer=optimizer,
        progress=False,
        bptt=teacher_forcing,
    )
    [(x, target, _, _)] = reversals(rng, 1, size=200)
    answers = greedy(network, x, max_length=6)
    right = np.mean(
        [answer.symbols.tolist() == list(target[:, n]) for n, answer in enumerate(answers)]
    )
    assert right > 0.95, right


# the house rules


@each_attention
def test_the_same_bits_twice(attention):
    network = network_of("LSTM", attention)
    x, target, lengths = data(network, ragged=True)
    state = nested(network.encoder, initial_of(network.encoder))
    one, other = (
        teacher_forcing(network, x, target, state=state, lengths=lengths) for _ in range(2)
    )
    assert one.loss == other.loss
    for name, gradient in one.grads.items():
        np.testing.assert_array_equal(gradient, other.grads[name])


@each_kind
@each_attention
def test_float32_in_float32_out(kind, attention):
    network = network_of(kind, attention)
    x, target, lengths = data(network, ragged=True)
    result = teacher_forcing(network, x.astype(np.float32), target, lengths=lengths)
    reference = teacher_forcing(network, x, target, lengths=lengths)
    assert result.y.dtype == np.float32
    for name, gradient in result.grads.items():
        assert gradient.dtype == np.float32, name
        np.testing.assert_allclose(gradient, reference.grads[name], rtol=1e-3, atol=1e-4)


def test_parameters_are_the_arrays_themselves():
    network = network_of("LSTM", "additive")
    assert network.parameters["encoder.W_x"] is network.encoder.W_x
    assert network.parameters["attention.v"] is network.attention.v
    assert list(network.parameters)[-5:] == (
        ["readout.W_y", "readout.b_y", "attention.W_q", "attention.W_m", "attention.v"]
    )
    rng = np.random.default_rng(0)
    for name, p in Additive(100, 200, 50, rng=rng).parameters.items():
        fan_in = {"W_q": 100, "W_m": 200, "v": 50}[name]
        assert 0.8 < np.abs(p).max() * np.sqrt(fan_in) <= 1
