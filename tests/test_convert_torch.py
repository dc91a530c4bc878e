"""The same weights in PyTorch give the same numbers, in float64 to 1e-10, and come back to the bit."""

import numpy as np
import pytest
import torch
from cases import frozen, halves
from converted import D, H, T, assert_close, assert_same, changed, rng, sequences, stack
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_teach import GRU, LSTM, RNN
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.convert import from_torch, to_torch
from rnn_teach.deep import Chain, Dense

MODULES = {
    "RNN-tanh": lambda *sizes, **options: torch.nn.RNN(*sizes, **options),
    "RNN-relu": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="relu", **options),
    "LSTM": torch.nn.LSTM,
    "GRU-after": torch.nn.GRU,
}


def in_torch(layer, kind: str) -> torch.nn.Module:
    """A module of the same shape that `layer` has, with its weights."""
    below = layer.layers[0] if isinstance(layer, Chain) else layer
    both = isinstance(below, Bidirectional)
    depth = len(layer.layers) if isinstance(layer, Chain) else 1
    module = MODULES[kind](D, H, depth, bidirectional=both).double()
    tensors = {key: torch.from_numpy(a) for key, a in to_torch(layer).items()}
    module.load_state_dict(tensors, strict=True)
    return module


def run_torch(module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module(torch.tensor(np.array(x)))[0].numpy()


@pytest.mark.parametrize("both", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("kind", MODULES)
def test_pytorch_computes_what_our_layer_does(kind, depth, both):
    layer = stack(kind, depth, both)
    assert_close(run_torch(in_torch(layer, kind), sequences()), layer.forward(sequences()).h)


def test_pytorch_computes_what_a_coupled_lstm_does():
    layer = stack("LSTM-coupled", 2, both=True)
    assert_close(run_torch(in_torch(layer, "LSTM"), sequences()), layer.forward(sequences()).h)


@pytest.mark.parametrize("both", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("kind", MODULES)
def test_our_layer_computes_what_pytorch_does(kind, bias, depth, both):
    torch.manual_seed(0)
    module = MODULES[kind](D, H, depth, bidirectional=both, bias=bias).double()
    nonlinearity = "relu" if kind == "RNN-relu" else "tanh"
    layer = from_torch(module.state_dict(), nonlinearity=nonlinearity)
    assert_close(layer.forward(sequences()).h, run_torch(module, sequences()))


@pytest.mark.parametrize("kind", MODULES)
def test_ragged_batches_and_last_states_agree_with_pytorch(kind):
    layer, lengths = stack(kind, 2, both=True), frozen(np.array([7, 1, 4]))
    packed = pack_padded_sequence(
        torch.tensor(np.array(sequences())), torch.tensor(np.array(lengths)), enforce_sorted=False
    )
    with torch.no_grad():
        h, final = in_torch(layer, kind)(packed)
    trace = layer.forward(sequences(), lengths=lengths)
    runs = np.arange(T)[:, None] < lengths
    assert_close(pad_packed_sequence(h)[0].numpy()[runs], trace.h[runs])
    ours = [state for part in trace.final for state in part]  # layer by layer, forward, backward
    for k, theirs in enumerate(final if kind == "LSTM" else [final]):
        assert_close(theirs.numpy(), [halves(state)[k] for state in ours])


@pytest.mark.parametrize("both", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("kind", MODULES)
def test_pytorch_round_trip_is_exact(kind, depth, both):
    layer = stack(kind, depth, both)
    nonlinearity = "relu" if kind == "RNN-relu" else "tanh"
    assert_same(from_torch(to_torch(layer), nonlinearity=nonlinearity), layer)
    assert_same(from_torch(in_torch(layer, kind).state_dict(), nonlinearity=nonlinearity), layer)


def test_tensors_lend_us_no_memory():
    module = torch.nn.LSTM(1, 1).double()
    layer = from_torch(module.state_dict())
    before = {name: p.copy() for name, p in layer.parameters.items()}
    with torch.no_grad():
        for p in module.parameters():
            p += 1
    for name, p in layer.parameters.items():
        assert (p == before[name]).all()


def test_float32_stays_float32():
    module = torch.nn.GRU(D, H)
    layer = from_torch(module.state_dict())
    assert {p.dtype for p in layer.parameters.values()} == {np.dtype(np.float32)}
    again = to_torch(layer)
    for key in ("weight_ih_l0", "weight_hh_l0"):
        assert again[key].tobytes() == module.state_dict()[key].numpy().tobytes()


def test_prefix_picks_one_module_out_of_many():
    layer = stack("LSTM")
    model = torch.nn.ModuleDict({"encoder": torch.nn.LSTM(D, H), "head": torch.nn.Linear(H, 2)})
    model.double()
    keys = to_torch(layer, prefix="encoder.")
    missing = model.load_state_dict({k: torch.from_numpy(a) for k, a in keys.items()}, strict=False)
    assert missing.unexpected_keys == [] and set(missing.missing_keys) == {
        "head.weight",
        "head.bias",
    }
    assert_same(from_torch(model.state_dict(), prefix="encoder."), layer)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Dense(D, H, rng=rng()), "layer: expected an RNN, LSTM or GRU, .* got Dense"),
        (stack("GRU-before"), "layer: PyTorch's GRU resets after the product, got 'before'"),
        (stack("RNN-elu"), r"layer: PyTorch's RNN has 'tanh' or 'relu' everywhere, got \['elu'\]"),
        (
            Chain([stack("RNN-tanh"), RNN(H, H, rng=rng(), nonlinearity="relu")]),
            r"everywhere, got \['relu', 'tanh'\]",
        ),
        (Chain([stack("LSTM"), GRU(H, H, rng=rng())]), "layer: PyTorch's stack is of one build"),
        (Chain([stack("LSTM"), LSTM(H, 2, rng=rng())]), "layer: PyTorch's stack is of one build"),
        (Chain([stack("LSTM", both=True), LSTM(2 * H, H, rng=rng())]), "of one build"),
        (Bidirectional(stack("LSTM"), stack("GRU-after")), "layer: expected two directions of one"),
        (stack("LSTM", both=True, merge="sum"), "layer: PyTorch has only .* got merge='sum'"),
        (stack("LSTM", both=True, align=False), "layer: PyTorch has only .* align=False"),
    ],
)
def test_what_pytorch_cannot_be_is_an_error(layer, message):
    with pytest.raises((TypeError, ValueError), match=message):
        to_torch(layer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"weight_hh_l0": None},
            "state_dict: expected a key 'rnn.weight_hh_l0', got rnn.weight_ih_l0",
        ),
        ({"bias_hh_l1_reverse": None}, "expected a key 'rnn.bias_hh_l1_reverse'"),
        ({"weight_hr_l0": np.zeros(1)}, "state_dict: expected no key 'rnn.weight_hr_l0' beside"),
        ({"weight_ih_l3": np.zeros(1)}, "expected a key 'rnn.weight_ih_l2'"),
        (
            {"weight_hh_l0": np.zeros((2 * H, H))},
            r"rnn.weight_hh_l0: expected H \(RNN\), 3H \(GRU\) or 4H \(LSTM\) by H=4, got 8",
        ),
        (
            {"weight_hh_l1": np.zeros((4 * H, H + 1))},
            r"rnn.weight_hh_l1: expected shape \(4H=16, H=4\), got \(16, 5\)",
        ),
        (
            {"weight_ih_l1": np.zeros((4 * H, D))},
            r"rnn.weight_ih_l1: expected shape \(4H=16, D=8\), got \(16, 3\)",
        ),
        (
            {"weight_ih_l0_reverse": np.zeros((4 * H, D + 1))},
            r"rnn.weight_ih_l0_reverse: expected shape \(4H=16, D=3\), got \(16, 4\)",
        ),
        ({"bias_ih_l0": np.zeros(H)}, r"rnn.bias_ih_l0: expected shape \(4H=16\), got \(4,\)"),
        ({"bias_hh_l0": np.full(4 * H, np.nan)}, "rnn.bias_hh_l0: expected finite numbers"),
        ({"bias_hh_l0": np.zeros(4 * H, bool)}, "rnn.bias_hh_l0: expected float32, .* dtype bool"),
    ],
)
def test_a_wrong_state_dict_is_an_error_naming_the_key(changes, message):
    right = to_torch(stack("LSTM", 2, both=True), prefix="rnn.")
    wrong = changed(right, **{f"rnn.{key}": a for key, a in changes.items()})
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(wrong, prefix="rnn.")


def test_other_wrong_arguments_of_from_torch():
    with pytest.raises(ValueError, match="expected a key 'weight_ih_l0', got none"):
        from_torch({})
    with pytest.raises(ValueError, match="nonlinearity: expected one of 'tanh', 'relu', got 'elu'"):
        from_torch(to_torch(stack("RNN-tanh")), nonlinearity="elu")
    with pytest.raises(ValueError, match="nonlinearity: expected none, .* weights of LSTM"):
        from_torch(to_torch(stack("LSTM")), nonlinearity="relu")
