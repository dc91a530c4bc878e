"""The same weights in Keras give the same numbers, and come back to the bit.

Keras 3 on PyTorch calls dtype="float64" what its matrix products do in float32, but for LSTM and
GRU(reset_after), which it hands to PyTorch as they are: the tolerance is 1e-10 there and 1e-6 else.
A gate in a wrong place is off by 0.1.
"""

import numpy as np
import pytest
import torch
from cases import ACTIVATIONS, frozen
from converted import D, H, assert_close, assert_same, rng, sequences, stack

from rnn_teach.convert import from_keras, to_keras


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """Keras on PyTorch; it writes its settings into a folder of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        import keras

        yield keras


def in_keras(keras, kind: str, both: bool = False, **options):
    """A built Keras layer of a kind; both: in a Bidirectional."""
    options = {"return_sequences": True, "dtype": "float64", **options}
    name, _, option = kind.partition("-")
    if name == "RNN":
        functions = {
            "identity": "linear",
            "leaky_relu": lambda a: keras.activations.leaky_relu(a, negative_slope=0.01),
        }
        layer = keras.layers.SimpleRNN(H, activation=functions.get(option, option), **options)
    elif name == "LSTM":
        layer = keras.layers.LSTM(H, **options)
    else:
        layer = keras.layers.GRU(H, reset_after=option == "after", **options)
    if both:
        layer = keras.layers.Bidirectional(layer, merge_mode=both, dtype="float64")
    layer.build((None, None, D))
    return layer


def run_keras(layer, x: np.ndarray) -> np.ndarray:
    """h, time first."""
    with torch.no_grad():
        return layer(torch.tensor(x.swapaxes(0, 1).copy())).numpy().swapaxes(0, 1)


def weights_of(layer) -> list[np.ndarray]:
    return [variable.value.detach().numpy() for variable in layer.weights]


KERAS_KINDS = (*(f"RNN-{name}" for name in ACTIVATIONS), "LSTM", "GRU-after", "GRU-before")


@pytest.mark.parametrize("kind", KERAS_KINDS)
def test_keras_computes_what_our_layer_does(keras, kind):
    ours, theirs = stack(kind), in_keras(keras, kind)
    theirs.set_weights(to_keras(ours))
    assert_close(run_keras(theirs, sequences()), ours.forward(sequences()).h, keras_tolerance(kind))


def keras_tolerance(kind: str) -> float:
    return 1e-10 if kind in ("LSTM", "GRU-after") else 1e-6


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("kind", ["RNN-tanh", "LSTM", "GRU-after", "GRU-before"])
def test_keras_computes_what_both_directions_do(keras, kind, merge):
    ours, theirs = stack(kind, both=True, merge=merge), in_keras(keras, kind, both=merge)
    theirs.set_weights(to_keras(ours))
    assert_close(run_keras(theirs, sequences()), ours.forward(sequences()).h, 1e-6)
    back = from_keras(weights_of(theirs), merge=merge)
    assert_same(back, ours)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("kind", ["RNN-relu", "LSTM", "GRU-after", "GRU-before"])
def test_our_layer_computes_what_keras_does(keras, kind, bias):
    theirs = in_keras(keras, kind, use_bias=bias)
    weights = [rng().normal(size=w.shape) / 2 for w in weights_of(theirs)]
    theirs.set_weights(weights)
    options = {"nonlinearity": "relu"} if kind == "RNN-relu" else {}
    if kind.startswith("GRU") and not bias:
        options["reset"] = kind.removeprefix("GRU-")
    ours = from_keras([frozen(w) for w in weights], **options)
    assert_close(ours.forward(sequences()).h, run_keras(theirs, sequences()), keras_tolerance(kind))


def test_keras_in_float32_comes_and_goes(keras):
    theirs = in_keras(keras, "GRU-after", dtype="float32")
    ours = from_keras(weights_of(theirs))
    assert {p.dtype for p in ours.parameters.values()} == {np.dtype(np.float32)}
    for got, expected in zip(to_keras(ours), weights_of(theirs), strict=True):
        assert got.dtype == np.float32 and (got == expected).all()


@pytest.mark.parametrize("both", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("kind", KERAS_KINDS)
def test_keras_round_trip_is_exact(kind, both):
    layer, nonlinearity = stack(kind, both=both), "tanh"
    if kind.startswith("RNN-"):
        nonlinearity = kind.removeprefix("RNN-")
    assert_same(from_keras(to_keras(layer), nonlinearity=nonlinearity), layer)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ([np.zeros((3, 4))], {}, "weights: expected kernel, .* got 1 arrays"),
        (
            [np.zeros((3, 16)), np.zeros((4, 16)), np.zeros(12)],
            {},
            r"weights\[2\] \(bias\): expected shape \(4H=16\), got \(12,\)",
        ),
        (
            [np.zeros((3, 12)), np.zeros((4, 16)), np.zeros(16)],
            {},
            r"weights\[0\] \(kernel\): expected shape \(D, 4H=16\), got \(3, 12\)",
        ),
        (
            [np.zeros((3, 8)), np.zeros((4, 8)), np.zeros(8)],
            {},
            r"weights\[1\] \(recurrent_kernel\): expected H .* by H=4, got 8",
        ),
        (
            [*to_keras(stack("LSTM")), *to_keras(stack("LSTM"))[:2], np.zeros(3)],
            {},
            r"weights\[5\] \(bias\): expected shape \(4H=16\), got \(3,\)",
        ),
        (to_keras(stack("GRU-after"))[:2], {}, "reset: expected 'after' or 'before', as a GRU"),
        (
            to_keras(stack("GRU-after")),
            {"reset": "before"},
            r"weights\[2\] \(bias\): expected shape \(3H=12\), got \(2, 12\)",
        ),
        (
            to_keras(stack("GRU-before")),
            {"reset": "after"},
            r"weights\[2\] \(bias\): expected shape \(biases=2, 3H=12\), got \(12,\)",
        ),
        (to_keras(stack("GRU-after")), {"reset": "never"}, "reset: expected one of"),
        (to_keras(stack("LSTM")), {"reset": "after"}, "reset: expected none, .* weights of LSTM"),
        (to_keras(stack("LSTM")), {"nonlinearity": "relu"}, "nonlinearity: expected none"),
        (to_keras(stack("RNN-tanh")), {"nonlinearity": "linear"}, "nonlinearity: expected one of"),
        (to_keras(stack("LSTM", both=True)), {"merge": "mul"}, "merge: expected one of"),
    ],
)
def test_wrong_keras_weights_are_an_error(weights, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_keras(weights, **options)


def test_a_chain_is_no_keras_layer():
    with pytest.raises(TypeError, match="layer: expected an RNN, LSTM or GRU, .* got Chain"):
        to_keras(stack("LSTM", 2))
