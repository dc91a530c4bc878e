"""What the three conversions have in common: exact round trips, no imports, plain refusals."""

import subprocess
import sys

import numpy as np
import pytest
from cases import cell_of, frozen
from converted import (
    PEEPHOLES,
    VARIANTS,
    D,
    H,
    assert_close,
    assert_same,
    rng,
    sequences,
    stack,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach import LSTM
from rnn_teach.convert import from_keras, from_onnx, from_torch, to_keras, to_onnx, to_torch


@pytest.mark.parametrize("both", [False, True], ids=["one-way", "both-ways"])
def test_a_coupled_lstm_becomes_a_plain_one_that_computes_the_same(both):
    layer = stack("LSTM-coupled", both=both)
    expected = layer.forward(sequences()).h
    assert_close(from_torch(to_torch(layer)).forward(sequences()).h, expected)
    assert_close(from_keras(to_keras(layer)).forward(sequences()).h, expected)


@pytest.mark.parametrize("kind", PEEPHOLES)
def test_peepholes_have_a_place_in_onnx_alone(kind):
    for convert, name in ((to_torch, "PyTorch"), (to_keras, "Keras")):
        with pytest.raises(ValueError, match=f"layer: {name} has no place for the parameter 'p_"):
            convert(stack(kind))


def test_convert_imports_none_of_them():
    code = (
        "import sys, numpy, rnn_teach.convert as c; c.to_torch(c.from_keras([numpy.eye(2)] * 2)); "
        "print(sorted({'torch', 'keras', 'onnx'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(("RNN-tanh", "RNN-relu", *VARIANTS)),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**31),
)
def test_round_trips_are_exact_for_any_sizes_and_numbers(kind, sizes, dtype, seed):
    draw = rng(seed)
    layer = cell_of(kind, *sizes, draw)
    for name, p in layer.parameters.items():
        p = p.astype(dtype)
        p.flat[draw.integers(p.size)] = -0.0
        setattr(layer, name, frozen(p))
    nonlinearity = getattr(layer, "nonlinearity", "tanh")
    assert_same(from_onnx(*to_onnx(layer))[0], layer)
    if kind in VARIANTS[1:4]:  # they come back from ONNX alone
        return
    assert_same(from_keras(to_keras(layer), nonlinearity=nonlinearity), layer)
    if kind != "GRU-before":
        assert_same(from_torch(to_torch(layer), nonlinearity=nonlinearity), layer)


def test_a_parameter_without_a_place_is_an_error(monkeypatch):
    layer = stack("LSTM")
    monkeypatch.setattr(LSTM, "parameters", {"W_x": layer.W_x, "gain": np.ones(H)})
    for convert, name in ((to_torch, "PyTorch"), (to_keras, "Keras"), (to_onnx, "ONNX")):
        with pytest.raises(
            ValueError, match=f"layer: {name} has no place for the parameter 'gain'"
        ):
            convert(layer)


def test_a_cell_of_ones_own_is_not_taken_for_its_parent():
    with pytest.raises(TypeError, match="layer: expected an RNN, LSTM or GRU, .* got Twice"):
        to_torch(type("Twice", (LSTM,), {})(D, H, rng=rng()))
