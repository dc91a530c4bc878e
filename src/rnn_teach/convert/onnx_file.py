"""A layer as an ONNX model file, which other programs can run."""

import os

import numpy as np

from ..bidirectional import Bidirectional
from ..cells import Layer, checking
from ..deep import Chain
from .onnx import to_onnx

OPSET, IR_VERSION = 14, 8  # the oldest that have all we need, so that most programs can read them


def write_onnx(
    layer: Layer, path: str | os.PathLike, *, direction: str = "forward", dtype: type | None = None
) -> None:
    """Write a model file that computes what `layer` does: x (T, N, D) to h (T, N, H).

    The first state is zero; T and N are free. Each layer becomes one operator, whose Y
    (T, directions, N, H) is turned into our h: directions side by side, or added up with
    merge="sum".

    Arguments: layer, what `to_onnx` takes or a `Chain` of that; path of the file; direction,
    "forward" or "reverse", of every cell that is not in a `Bidirectional`; dtype, "float32" or
    "float64", the weights' own when None (ONNX Runtime runs these operators in float32 only).
    Raises ImportError without the package onnx; TypeError or ValueError as `to_onnx` does.
    Source: the ONNX operators RNN, LSTM and GRU, version 14.

    Weights come back, from this file or from another program's, with

        model = onnx.load(path)
        arrays = {a.name: onnx.numpy_helper.to_array(a) for a in model.graph.initializer}
        node = next(node for node in model.graph.node if node.op_type == "GRU")
        inputs = dict(zip("WRB", (arrays[name] for name in node.input[1:4])))
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        layer, direction = from_onnx("GRU", inputs, attributes)

    >>> from rnn_teach import GRU
    >>> write_onnx(GRU(3, 4, rng=np.random.default_rng(0)), "gru.onnx", dtype="float16")
    Traceback (most recent call last):
    ...
    ValueError: dtype: expected one of 'float32', 'float64', got 'float16'
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("write_onnx: needs the package onnx (pip install onnx)") from None
    if dtype is None:
        dtype = np.result_type(*layer.parameters.values())
    dtype = np.dtype(checking.choice("dtype", np.dtype(dtype).name, ("float32", "float64")))
    nodes, arrays = _graph(layer, direction, onnx.helper.make_node)
    element = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    graph = onnx.helper.make_graph(
        nodes,
        "rnn_teach",
        [onnx.helper.make_tensor_value_info("x", element, ["T", "N", layer.D])],
        [onnx.helper.make_tensor_value_info("h", element, ["T", "N", layer.H])],
        [
            onnx.numpy_helper.from_array(a if a.dtype.kind == "i" else a.astype(dtype), name)
            for name, a in arrays.items()
        ],
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, os.fspath(path))


def _graph(layer: Layer, direction: str, make_node) -> tuple[list, dict[str, np.ndarray]]:
    """The nodes from "x" to "h" and the constant arrays they read, by name."""
    stack = layer.layers if isinstance(layer, Chain) else [layer]
    nodes, arrays, below = [], {}, "x"
    for k, part in enumerate(stack):
        both = isinstance(part, Bidirectional)
        if both and not part.align:
            raise ValueError("layer: ONNX aligns two directions, got a Bidirectional(align=False)")
        op_type, inputs, attributes = to_onnx(part, direction="forward" if both else direction)
        arrays |= {f"{name}{k}": a for name, a in inputs.items()}
        names = [below, f"W{k}", f"R{k}", f"B{k}"]
        if "P" in inputs:
            names += ["", "", "", f"P{k}"]  # no lengths and no first states
        nodes.append(make_node(op_type, names, [f"Y{k}"], **attributes))
        below = "h" if k == len(stack) - 1 else f"h{k}"
        if both and part.merge == "sum":
            arrays["directions"] = np.array([1])
            nodes.append(make_node("ReduceSum", [f"Y{k}", "directions"], [below], keepdims=0))
        else:
            arrays["side_by_side"] = np.array([0, 0, -1])
            nodes.append(make_node("Transpose", [f"Y{k}"], [f"Z{k}"], perm=[0, 2, 1, 3]))
            nodes.append(make_node("Reshape", [f"Z{k}", "side_by_side"], [below]))
    return nodes, arrays
