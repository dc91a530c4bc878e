"""The table of conventions says what `convert` does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rnn_teach import GRU, LSTM, RNN, convert
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.convert import keras, layout, onnx

PAGE = (Path(__file__).parents[1] / "book" / "conventions.md").read_text("utf-8")
TABLE = PAGE[PAGE.index("## The same layer elsewhere") : PAGE.index("## Reading other texts")]
RNG = np.random.default_rng(0)
D, H = 2, 3


def row(name: str) -> list[str]:
    """Ours, PyTorch's, Keras' and ONNX's."""
    (line,) = (line for line in TABLE.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:5]


def in_our_letters(cell: str) -> str:
    return cell.strip("`").replace(" ", "").replace("c", "g").replace("h", "n")


def test_the_order_of_the_gates() -> None:
    for kind, name in ((LSTM, "gates of the LSTM"), (GRU, "gates of the GRU")):
        ours, torch, in_keras, in_onnx = map(in_our_letters, row(name))
        assert ours == torch == layout.GATES[kind]
        assert in_keras == keras.GATES[kind] and in_onnx == onnx.GATES[kind]


def test_shapes_and_names_of_the_arrays() -> None:
    cell = LSTM(D, H, rng=RNG)
    torch, in_keras = convert.to_torch(cell), convert.to_keras(cell)
    _, in_onnx, _ = convert.to_onnx(cell)
    names = [re.findall(r"`(\w+)`", said) for said in row("names of the arrays")]
    after = GRU(D, H, rng=RNG)
    assert names[0] == list(after.parameters) and names[1] == list(torch)
    assert names[2] == list(keras.NAMES) and names[3] == list(in_onnx)
    shapes = (cell.W_x, next(iter(torch.values())), in_keras[0], in_onnx["W"])
    for said, array in zip(row("input weights of an LSTM"), shapes, strict=True):
        letters = said.strip("`()").replace("4H", str(4 * H)).replace("D", str(D)).split(", ")
        assert array.shape == tuple(map(int, letters))


def test_how_many_biases() -> None:
    cell, after = LSTM(D, H, rng=RNG), GRU(D, H, rng=RNG)
    before = GRU(D, H, rng=RNG, reset="before")
    counts = [
        cell.b.size,
        sum(convert.to_torch(cell)[name].size for name in ("bias_ih_l0", "bias_hh_l0")),
        convert.to_keras(cell)[2].size,
        convert.to_onnx(cell)[1]["B"].size,
    ]
    assert [int(said) for said in row("biases of an LSTM's gate")] == [k // (4 * H) for k in counts]
    _, torch, in_keras, in_onnx = row("biases of a GRU's gate")
    assert int(torch) * 3 * H == 2 * convert.to_torch(after)["bias_ih_l0"].size
    assert in_keras == "2, or 1 if before"
    assert convert.to_keras(after)[2].shape == (2, 3 * H)
    assert convert.to_keras(before)[2].shape == (3 * H,)
    assert int(in_onnx) * 3 * H == convert.to_onnx(after)[1]["B"].size


def test_what_else_an_operator_has() -> None:
    peephole, coupled = LSTM(D, H, rng=RNG, peephole=True), LSTM(D, H, rng=RNG, coupled=True)
    order = re.search(r"in the order `(.*)`", row("{term}`peepholes <peephole connection>`")[3])[1]
    assert onnx.PEEPHOLES == tuple(f"p_{gate}" for gate in order.split())
    assert "P" in convert.to_onnx(peephole)[1]
    assert convert.to_onnx(coupled)[2]["input_forget"] == 1
    assert convert.to_torch(coupled)["weight_ih_l0"].shape == (4 * H, D), "written out"
    both = Bidirectional(RNN(D, H, rng=RNG), RNN(D, H, rng=RNG))
    assert "weight_ih_l0_reverse" in convert.to_torch(both)
    assert len(convert.to_keras(both)) == 6 and convert.to_onnx(both)[1]["W"].shape == (2, H, D)
