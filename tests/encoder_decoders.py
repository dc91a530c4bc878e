"""What the tests of the encoder-decoder share: networks, ragged data, and the loss alone."""

import numpy as np
import pytest
from cases import cell_of, frozen
from layers import state_sizes

from rnn_teach import Readout
from rnn_teach.bptt import step_weights
from rnn_teach.functional import cross_entropy
from rnn_teach.gradcheck import with_parameters
from rnn_teach.seq2seq import Additive, DotProduct, EncoderDecoder

ATTENTIONS = (None, "additive", "dot product")
KINDS = ("RNN-tanh", "LSTM", "GRU-after")
S, T, N, D, K, H, A = 5, 4, 3, 2, 4, 3, 6
END = 0

each_attention = pytest.mark.parametrize("attention", ATTENTIONS, ids=str)
with_attention = pytest.mark.parametrize("attention", ATTENTIONS[1:])
each_kind = pytest.mark.parametrize("kind", KINDS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


def attention_of(name, M, A, rng):
    """None, `Additive` or `DotProduct`, for M units on both sides."""
    if name is None:
        return None
    return Additive(M, M, A, rng=rng) if name == "additive" else DotProduct(M, rng=rng)


def network_of(
    kind="GRU-after", attention=None, *, encoder=None, decoder=None, scale=4.0, K=K, seed=1
):
    """Weights larger than usual, so that no attention is flat and no gradient lost in rounding."""
    rng = np.random.default_rng(seed)
    encoder = encoder or cell_of(kind, D, H, rng)
    M = encoder.H
    decoder = decoder or cell_of(kind, K + (M if attention == "additive" else 0), M, rng)
    layer = attention_of(attention, M, A, rng)
    network = EncoderDecoder(encoder, decoder, Readout(M, K, rng=rng), layer, end=END)
    network.readout.b_y += rng.normal(size=K) / 4
    network = with_parameters(network, {k: scale * p for k, p in network.parameters.items()})
    for p in network.parameters.values():
        frozen(p)
    return network


def data(network, *, ragged, seed=0):
    """Read-only x, target and lengths; ragged: sources and targets end early."""
    rng = np.random.default_rng(seed)
    target = rng.integers(1, network.readout.K, (T, N))
    target[-1] = END
    lengths = None
    if ragged:
        lengths = frozen(np.array([S, 1, S - 2]))
        for n, length in enumerate([2, T, 1]):
            target[length - 1 :, n] = END
    return frozen(rng.normal(size=(S, N, D))), frozen(target), lengths


def initial_of(encoder, seed=0):
    """Initial states of the encoder, by the names of their gradients."""
    rng = np.random.default_rng(seed)
    return {k: frozen(rng.normal(size=(N, size))) for k, size in state_sizes(encoder).items()}


def loss_of(network, x, target, over_time="mean", **given):
    """The loss of `teacher_forcing` without the way back, which an oracle does not need."""
    trace = network.forward(x, target, **given)
    y = network.readout.forward(trace.h)
    return cross_entropy(y, target, step_weights(trace, "every", over_time))[0]
