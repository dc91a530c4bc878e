"""What PyTorch, Keras and ONNX differ in: how gates are ordered and how biases are counted."""

import numpy as np

from ..bidirectional import Bidirectional
from ..cells import GRU, LSTM, RNN, Layer
from ..cells.lstm import with_forget_gate

KINDS = {1: RNN, 3: GRU, 4: LSTM}  # by the number of matrices that stand side by side in W_h
GATES = {RNN: "n", GRU: "rzn", LSTM: "ifgo"}
OPTIONS = {RNN: ("nonlinearity",), GRU: ("reset",), LSTM: ("peephole", "coupled")}


def reorder(a: np.ndarray, old: str, new: str) -> np.ndarray:
    """The parts of a (..., G H), which stand in the order `old`, as a new array in the order `new`.

    >>> reorder(np.array([1, 1, 2, 2, 3, 3]), "rzn", "zrn")
    array([2, 2, 1, 1, 3, 3])
    """
    parts = dict(zip(old, np.split(a, len(old), axis=-1), strict=True))
    return np.concatenate([parts[gate] for gate in new], axis=-1)


def kind(name: str, columns: int, H: int) -> type:
    """RNN, GRU or LSTM: how many H by H matrices stand side by side in the `columns` of W_h."""
    for G, cell in KINDS.items():
        if columns == G * H:
            return cell
    raise ValueError(f"{name}: expected H (RNN), 3H (GRU) or 4H (LSTM) by H={H}, got {columns}")


def directions(layer: Layer) -> list[Layer]:
    """The one cell that `layer` is, or the two of a `Bidirectional`, which must be of one build."""
    cells = [layer]
    if isinstance(layer, Bidirectional):
        cells = [layer.forward_layer, layer.backward_layer]
    for cell in cells:
        if type(cell) not in GATES:
            raise TypeError(
                "layer: expected an RNN, LSTM or GRU, or a Bidirectional of two of them, "
                f"got {type(cell).__name__}"
            )
    builds = [(type(cell).__name__, cell.shapes) for cell in cells]
    if builds[0] != builds[-1]:
        raise ValueError(
            f"layer: expected two directions of one build, got {builds[0]} and {builds[1]}"
        )
    return cells


def weights(
    cell: RNN | LSTM | GRU, framework: str, beside: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """W_x, W_h, b, b_h and what is `beside` them, as new arrays with every gate written out.

    b_h is the second bias vector that frameworks add beside h_{t-1} W_h: zero for us, but for the
    part that the reset gate of a GRU multiplies. A coupled forget gate gets weights of its own:
    1 - sigmoid(a) = sigmoid(-a), so they are the input gate's with the other sign.
    Raises ValueError naming a parameter for which `framework` has no place.
    """
    p = {name: value.copy() for name, value in cell.parameters.items()}
    b_hn = p.pop("b_hn", None)
    unknown = p.keys() - {"W_x", "W_h", "b", *beside}
    if unknown:
        raise ValueError(f"layer: {framework} has no place for the parameter {min(unknown)!r}")
    if isinstance(cell, LSTM) and cell.coupled:
        p = with_forget_gate(p)
    p["b_h"] = np.zeros_like(p["b"])
    if b_hn is not None:
        p["b_h"][2 * cell.H :] = b_hn
    return p


def build(kind: type, p: dict[str, np.ndarray], **options: object) -> RNN | LSTM | GRU:
    """The cell of the weights `p`, which it copies: the way back from `weights`.

    Raises ValueError naming an option that this kind of cell has not.
    """
    for name, value in options.items():
        if name not in OPTIONS[kind]:
            raise ValueError(
                f"{name}: expected none, as these are weights of {kind.__name__}, got {value!r}"
            )
    D, H = len(p["W_x"]), len(p["W_h"])
    cell = kind(D, H, rng=np.random.default_rng(0), **options)
    b, b_h = p["b"], p["b_h"].copy()
    if "b_hn" in cell.shapes:
        p = p | {"b_hn": b_h[2 * H :].copy()}
        b_h[2 * H :] = 0
    # where b_h is 0 we do not add it: -0.0 + 0.0 is 0.0, and the bits must survive a round trip
    p = p | {"b": np.where(b_h == 0, b, b + b_h)}
    if options.get("coupled"):
        p |= {name: reorder(p[name], "ifgo", "igo") for name in ("W_x", "W_h", "b")}
    for name in cell.shapes:
        setattr(cell, name, np.array(p[name], order="C"))
    return cell
