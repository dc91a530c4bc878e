"""What an encoder-decoder does not take: every error names the part or the argument."""

import numpy as np
import pytest
from encoder_decoders import D, H, K, N, S, T, data, network_of

from rnn_teach import GRU, LSTM, Readout
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.deep import Chain
from rnn_teach.gradcheck import with_parameters
from rnn_teach.seq2seq import Additive, DotProduct, EncoderDecoder, teacher_forcing


def parts(rng, **changes):
    given = {
        "encoder": GRU(D, H, rng=rng),
        "decoder": GRU(K, H, rng=rng),
        "readout": Readout(H, K, rng=rng),
        "end": 0,
    }
    return given | changes


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda r: {"encoder": GRU(D, 5, rng=r)}, ValueError, "encoder: expected H=3, .* got H=5"),
        (lambda r: {"decoder": GRU(5, H, rng=r)}, ValueError, "decoder: expected D=4, .* got D=5"),
        (lambda r: {"readout": Readout(5, K, rng=r)}, ValueError, "readout: expected H=3"),
        (lambda r: {"attention": Additive(H, H, 2, rng=r)}, ValueError, "decoder: expected D=7"),
        (lambda r: {"attention": DotProduct(5, rng=r)}, ValueError, "attention: expected H=3"),
        (
            lambda r: {"attention": Additive(H, 5, 2, rng=r), "decoder": GRU(K + 5, H, rng=r)},
            ValueError,
            "attention: expected M=3, .* got M=5",
        ),
        (lambda r: {"attention": "dot"}, TypeError, "attention: expected Additive, .* got str"),
        (lambda r: {"end": 4}, ValueError, r"end: expected an integer in 0..3, got 4"),
        (lambda r: {"end": True}, ValueError, r"end: expected an integer in 0..3, got True"),
        (
            lambda r: {"decoder": Chain([Bidirectional(GRU(K, 1, rng=r), GRU(K, 2, rng=r))])},
            TypeError,
            "decoder: expected a layer that reads forward only",
        ),
        (
            lambda r: {
                "decoder": Chain([GRU(K + H, H, rng=r)]),
                "attention": Additive(H, H, 2, rng=r),
            },
            TypeError,
            "decoder: expected a single cell with Additive attention, got Chain",
        ),
        (
            lambda r: {"encoder": Bidirectional(GRU(D, 1, rng=r), LSTM(D, 2, rng=r))},
            TypeError,
            "encoder: expected a Bidirectional of two cells of one kind, got GRU and LSTM",
        ),
        (
            lambda r: {
                "encoder": Bidirectional(Chain([GRU(D, 1, rng=r)]), Chain([GRU(D, 2, rng=r)]))
            },
            TypeError,
            "encoder: expected a Bidirectional of two cells of one kind, got Chain",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named(change, error, message):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=message):
        EncoderDecoder(**parts(rng, **change(rng)))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"x": np.ones((S, N, 5))}, ValueError, r"x: expected shape \(S, N, D=2\)"),
        ({"lengths": [S, S, S + 1]}, ValueError, "lengths: expected integers in 1..T=5"),
        ({"target": np.ones((T, 7), int)}, ValueError, r"target: expected shape \(T, N=3\), got"),
        ({"target": np.ones((0, N), int)}, ValueError, r"target: expected shape \(T, N=3\), got"),
        ({"target": np.ones((T, N))}, TypeError, "target: expected integers, got dtype float64"),
        ({"target": np.full((T, N), K)}, ValueError, "target: expected integers in 0..3, got 4"),
        ({"target": np.full((T, N), -1)}, ValueError, "target: expected integers in 0..3, got -1"),
        ({"over_time": "max"}, ValueError, "over_time: expected one of 'mean', 'sum'"),
    ],
)
def test_wrong_arguments_are_named(changes, error, message):
    network = network_of("GRU-after", "additive")
    x, target, _ = data(network, ragged=False)
    with pytest.raises(error, match=message):
        teacher_forcing(network, **({"x": x, "target": target} | changes))


def test_states_that_do_not_fit_name_the_decoder():
    rng = np.random.default_rng(0)
    network = EncoderDecoder(**parts(rng, encoder=LSTM(D, H, rng=rng)))
    with pytest.raises(ValueError, match="decoder: state: expected shape"):
        network.forward(np.ones((S, N, D)), np.ones((T, N), int))
    network = EncoderDecoder(**parts(rng, decoder=LSTM(K, H, rng=rng)))
    with pytest.raises(TypeError, match="decoder: state: expected a pair"):
        network.forward(np.ones((S, N, D)), np.ones((T, N), int))


def test_a_diverged_loss_is_an_error():
    network = network_of()
    network = with_parameters(network, {"readout.b_y": np.full(K, np.inf)})
    x, target, _ = data(network, ragged=False)
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="loss: expected"):
        teacher_forcing(network, x, target)
