"""The same weights in ONNX's operators give the same numbers, in float64 to 1e-10, and come back."""

import sys

import numpy as np
import pytest
from cases import ACTIVATIONS, frozen
from converted import (
    VARIANTS,
    D,
    H,
    N,
    T,
    assert_close,
    assert_same,
    changed,
    rng,
    sequences,
    stack,
)

from rnn_teach import GRU
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.convert import from_onnx, to_onnx, write_onnx
from rnn_teach.deep import Chain, Dense

# the functions that its reference evaluator knows; the others stand in the test below
EVALUATED = ("RNN-tanh", "RNN-identity", *VARIANTS)
DIRECTIONS = ("forward", "reverse", "bidirectional")


def operator(kind: str, direction: str, **options):
    """A layer and the operator that it becomes."""
    layer = stack(kind, both=direction == "bidirectional", **options)
    one_way = "forward" if direction == "bidirectional" else direction
    return layer, to_onnx(layer, direction=one_way)


def run_onnx(op_type, inputs, attributes, x: np.ndarray) -> np.ndarray:
    """Y of one operator, (T, directions, N, H), by ONNX's own reference evaluator."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    names = ["X", "W", "R", "B", *(["", "", "", "P"] if "P" in inputs else [])]
    values = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in names if name
    ]
    out = [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, None)]
    node = helper.make_node(op_type, names, ["Y"], **attributes)
    graph = helper.make_graph([node], "operator", values, out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    return ReferenceEvaluator(model).run(None, {"X": np.array(x), **inputs})[0]


def our_y(layer, direction: str) -> np.ndarray:
    """What our layer says to `sequences()`, laid out as ONNX's Y."""
    if direction == "reverse":
        return layer.forward(sequences()[::-1]).h[::-1, None]
    return layer.forward(sequences()).h.reshape(T, N, -1, H).swapaxes(1, 2)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", EVALUATED)
def test_onnx_computes_what_our_layer_does(kind, direction):
    layer, onnx_operator = operator(kind, direction)
    assert_close(run_onnx(*onnx_operator, sequences()), our_y(layer, direction))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("kind", [kind for kind in EVALUATED if "coupled" not in kind])
def test_our_layer_computes_what_onnx_does(kind, bias, direction):
    _, (op_type, inputs, attributes) = operator(kind, direction)
    inputs = {name: frozen(rng().normal(size=a.shape) / 2) for name, a in inputs.items()}
    if not bias:
        inputs["B"] = frozen(np.zeros_like(inputs["B"]))
    given = {name: a for name, a in inputs.items() if bias or name != "B"}
    layer, back = from_onnx(op_type, given, attributes)
    assert back == direction
    assert_close(our_y(layer, direction), run_onnx(op_type, inputs, attributes, sequences()))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", [*(f"RNN-{name}" for name in ACTIVATIONS), *VARIANTS])
def test_onnx_round_trip_is_exact(kind, direction):
    layer, onnx_operator = operator(kind, direction)
    back, back_direction = from_onnx(*onnx_operator)
    assert back_direction == direction
    assert_same(back, layer)


def test_onnx_formulas_of_the_functions_its_evaluator_lacks():
    """Ht = f(Xt Wi^T + Ht-1 Ri^T + Wbi + Rbi), with f as the operator's documentation writes it."""
    documented = {
        "Relu": lambda a: np.maximum(0, a),
        "Sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "LeakyRelu": lambda a, alpha: np.where(a >= 0, a, alpha * a),
        "Elu": lambda a, alpha: np.where(a >= 0, a, alpha * (np.exp(a) - 1)),
    }
    for name in ("relu", "sigmoid", "leaky_relu", "elu"):
        layer, (_, inputs, attributes) = operator(f"RNN-{name}", "forward")
        (function,) = attributes["activations"]
        h, y = np.zeros((N, H)), []
        for x_t in sequences():
            Wb, Rb = np.split(inputs["B"][0], 2)
            a = x_t @ inputs["W"][0].T + h @ inputs["R"][0].T + Wb + Rb
            h = documented[function](a, *attributes.get("activation_alpha", []))
            y.append(h)
        assert_close(y, layer.forward(sequences()).h)


def test_each_direction_takes_its_own_alpha():
    cells = [stack("RNN-tanh"), stack("RNN-identity")]
    _, _, attributes = onnx_operator = to_onnx(Bidirectional(*cells))
    assert attributes["activations"] == ["Tanh", "Affine"]
    assert attributes["activation_alpha"] == [1.0] and attributes["activation_beta"] == [0.0]
    assert_same(from_onnx(*onnx_operator)[0], Bidirectional(*cells))


@pytest.mark.parametrize("dtype", [None, "float32"])
@pytest.mark.parametrize(
    "layer",
    [
        stack("RNN-tanh"),
        stack("LSTM-peephole"),
        stack("GRU-before", 2, both=True),
        stack("LSTM", 2, both=True, merge="sum"),
        Chain([stack("LSTM"), GRU(H, 2, rng=rng())]),
    ],
    ids=["RNN", "LSTM-peephole", "GRU-both-ways", "LSTM-sum", "LSTM-then-GRU"],
)
def test_the_model_file_is_valid_and_computes_what_our_layer_does(tmp_path, layer, dtype):
    import onnx
    from onnx.reference import ReferenceEvaluator

    path = tmp_path / "layer.onnx"
    write_onnx(layer, path, dtype=dtype)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    x = sequences().astype(dtype or "float64")
    (h,) = ReferenceEvaluator(model).run(["h"], {"x": x})
    assert h.dtype == x.dtype
    assert_close(h, layer.forward(x).h, 1e-10 if dtype is None else 1e-6)


def test_a_model_file_can_be_read_back_to_the_bit(tmp_path):
    import onnx

    layer = stack("GRU-after")
    write_onnx(layer, tmp_path / "layer.onnx", direction="reverse")
    model = onnx.load(tmp_path / "layer.onnx")
    # as the docstring of write_onnx says
    arrays = {a.name: onnx.numpy_helper.to_array(a) for a in model.graph.initializer}
    node = next(node for node in model.graph.node if node.op_type == "GRU")
    inputs = dict(zip("WRB", (arrays[name] for name in node.input[1:4]), strict=True))
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    back, direction = from_onnx("GRU", inputs, attributes)
    assert direction == "reverse"
    assert_same(back, layer)


def test_without_the_package_onnx_there_is_a_plain_error(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        ImportError, match=r"write_onnx: needs the package onnx \(pip install onnx\)"
    ):
        write_onnx(stack("LSTM"), tmp_path / "layer.onnx")
    assert from_onnx(*to_onnx(stack("LSTM")))[1] == "forward", "arrays need no package"


def test_wrong_arguments_of_to_onnx_and_write_onnx(tmp_path):
    path = tmp_path / "layer.onnx"
    with pytest.raises(TypeError, match="layer: expected an RNN, LSTM or GRU, .* got Dense"):
        to_onnx(Dense(D, H, rng=rng()))
    with pytest.raises(TypeError, match="layer: expected .* got Dense"):
        write_onnx(Chain([stack("LSTM"), Dense(H, 2, rng=rng())]), path)
    with pytest.raises(ValueError, match="direction: expected one of 'forward', 'reverse'"):
        to_onnx(stack("LSTM"), direction="bidirectional")
    with pytest.raises(ValueError, match="direction: expected 'forward' for a Bidirectional"):
        to_onnx(stack("LSTM", both=True), direction="reverse")
    with pytest.raises(ValueError, match=r"layer: ONNX aligns two directions, .*align=False"):
        write_onnx(stack("LSTM", both=True, align=False), path)
    with pytest.raises(ValueError, match="dtype: expected one of 'float32', 'float64'"):
        write_onnx(stack("LSTM"), path, dtype="float16")
    assert not path.exists()


@pytest.mark.parametrize(
    ("kind", "inputs", "attributes", "message"),
    [
        ("LSTM", {"initial_h": np.zeros(1)}, {}, "inputs: expected W, R, B, P, got 'initial_h'"),
        ("GRU-after", {"P": np.zeros((1, 12))}, {}, "inputs: expected W, R, B, got 'P'"),
        ("LSTM", {"R": None}, {}, "inputs: expected 'R', got W, B"),
        ("LSTM", {"W": np.zeros((1, 12, 3))}, {}, r"W: expected shape \(directions=1, 4H=16, D\)"),
        ("LSTM", {"R": np.zeros((2, 16, 4))}, {}, r"R: expected shape \(directions=1, rows, H=4\)"),
        (
            "LSTM",
            {"R": np.zeros((1, 12, 4))},
            {},
            r"R: expected shape \(directions=1, 4H=16, H=4\)",
        ),
        ("LSTM", {"B": np.zeros((1, 16))}, {}, r"B: expected shape \(directions=1, 8H=32\)"),
        ("LSTM", {"P": np.zeros((1, 16))}, {}, r"P: expected shape \(directions=1, 3H=12\)"),
        ("LSTM", {}, {"hidden_size": 5}, r"R: expected shape .*H=5\), got \(1, 16, 4\)"),
        ("LSTM", {}, {"direction": "bidirectional"}, r"R: expected shape \(directions=2"),
        ("LSTM", {}, {"direction": "sideways"}, "direction: expected one of"),
        ("LSTM", {}, {"clip": 3.0}, "attributes: our LSTM has nothing for 'clip'"),
        ("LSTM", {}, {"linear_before_reset": 1}, "nothing for 'linear_before_reset'"),
        ("LSTM", {}, {"activations": ["Relu"] * 3}, r"activations: expected \['Sigmoid', 'Tanh'"),
        ("GRU-after", {}, {"activations": [b"Tanh"] * 2}, r"activations: expected \['Sigmoid', "),
        ("RNN-tanh", {}, {"activations": ["Softsign"]}, "activations: expected one of 'Tanh'"),
        ("RNN-tanh", {}, {"activations": ["Tanh"] * 2}, "activations: expected one for each of 1"),
        ("RNN-elu", {}, {"activation_alpha": [0.5]}, "activation_alpha: expected 1.0 for Elu"),
        (
            "RNN-identity",
            {},
            {"activation_beta": [1.0]},
            "activation_beta: expected 0.0 for Affine",
        ),
    ],
)
def test_a_wrong_operator_is_an_error_naming_it(kind, inputs, attributes, message):
    op_type, right, known = to_onnx(stack(kind))
    with pytest.raises((TypeError, ValueError), match=message):
        from_onnx(op_type, changed(right, **inputs), known | attributes)


def test_wrong_op_type_and_merge():
    with pytest.raises(
        ValueError, match="op_type: expected one of 'RNN', 'LSTM', 'GRU', got 'Gru'"
    ):
        from_onnx("Gru", {})
    with pytest.raises(ValueError, match="merge: expected one of"):
        from_onnx(*to_onnx(stack("LSTM", both=True)), merge="mul")
    assert from_onnx(*to_onnx(stack("LSTM", both=True)), merge="sum")[0].merge == "sum"


def test_defaults_that_onnx_leaves_out():
    op_type, inputs, _ = to_onnx(stack("GRU-before"))
    assert_same(from_onnx(op_type, inputs)[0], stack("GRU-before"))
    op_type, inputs, attributes = to_onnx(stack("RNN-leaky_relu"))
    del attributes["activation_alpha"]
    attributes["layout"] = 1
    assert_same(from_onnx(op_type, inputs, attributes)[0], stack("RNN-leaky_relu"))


def test_onnx_couples_the_gates_itself_when_told():
    """An operator with input_forget=1 says f = 1 - i, whatever stands in its forget gate's rows."""
    layer, (op_type, inputs, attributes) = operator("LSTM-peephole-coupled", "forward")
    assert attributes["input_forget"] == 1
    for name, rows in (("W", slice(2 * H, 3 * H)), ("R", slice(2 * H, 3 * H))):
        inputs[name][0, rows] = 7
    inputs["P"][0, 2 * H :] = 7
    assert_same(from_onnx(op_type, inputs, attributes)[0], layer)
