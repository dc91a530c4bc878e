"""The weights of the ONNX operators RNN, LSTM and GRU."""

from collections.abc import Iterable, Mapping

import numpy as np

from ..bidirectional import Bidirectional
from ..cells import GRU, LSTM, RNN, Layer, checking
from ..functional import LEAK
from . import layout

KINDS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
GATES = {RNN: "n", LSTM: "iofg", GRU: "zrn"}  # in our letters: ONNX writes h for n and c for g
PEEPHOLES = ("p_i", "p_o", "p_f")
DIRECTIONS = ("forward", "reverse", "bidirectional")
# name in `functional.ACTIVATIONS`: name there, alpha, beta
ACTIVATIONS = {
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "leaky_relu": ("LeakyRelu", LEAK, None),
    "elu": ("Elu", 1.0, None),
    "identity": ("Affine", 1.0, 0.0),
}
KNOWN = {
    "hidden_size",
    "direction",
    "layout",
    "activations",
    "activation_alpha",
    "activation_beta",
}
FIXED = {LSTM: ["Sigmoid", "Tanh", "Tanh"], GRU: ["Sigmoid", "Tanh"]}


def to_onnx(
    layer: Layer, *, direction: str = "forward"
) -> tuple[str, dict[str, np.ndarray], dict[str, object]]:
    """The ONNX operator that computes what `layer` does: its name, weights and attributes.

        W = W_x^T    R = W_h^T    B = [b, b_h]    P = [p_i, p_o, p_f]

    ONNX's matrices are ours transposed, one for each direction. The gates stand in the order
    i o f c and z r h; z keeps. It adds two biases to each gate: the second, b_h, is zero here,
    but for a GRU's with reset="after", which is linear_before_reset=1: its last third is b_hn.
    A coupled LSTM sets input_forget=1 and also writes the forget gate's weights out, so that an
    evaluator that does not know the attribute computes the same.

    Arguments: layer, an RNN, LSTM or GRU, or a `Bidirectional` of two; direction of one cell,
    "forward" or "reverse" (from the last step to the first).
    Returns the operator's name; new arrays W (directions, G H, D), R (directions, G H, H),
    B (directions, 2 G H) and with peepholes P (directions, 3H); and a dict of attributes.
    Raises TypeError or ValueError naming what ONNX has no place for.
    Source: the ONNX operators RNN, LSTM and GRU, versions 14 and 22.

    Attributes are float32, so ONNX's LeakyRelu has the slope 0.01 to 7 digits. How two directions
    are merged is not part of the operator: its Y is (T, directions, N, H).

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0))
    >>> op_type, inputs, attributes = to_onnx(layer)
    >>> op_type, attributes
    ('GRU', {'hidden_size': 4, 'direction': 'forward', 'linear_before_reset': 1})
    >>> {name: a.shape for name, a in inputs.items()}
    {'W': (1, 12, 3), 'R': (1, 12, 4), 'B': (1, 24)}
    """
    cells = layout.directions(layer)
    checking.choice("direction", direction, DIRECTIONS[:2])
    if len(cells) == 2:
        if direction == "reverse":
            raise ValueError("direction: expected 'forward' for a Bidirectional, got 'reverse'")
        direction = "bidirectional"
    kind = type(cells[0])
    attributes = {"hidden_size": cells[0].H, "direction": direction}
    if kind is RNN:
        attributes |= _activations(cell.nonlinearity for cell in cells)
    elif kind is GRU:
        attributes["linear_before_reset"] = int(cells[0].reset == "after")
    elif cells[0].coupled:
        attributes["input_forget"] = 1
    rows = [_inputs(kind, layout.weights(cell, "ONNX", PEEPHOLES)) for cell in cells]
    inputs = {name: np.array([row[name] for row in rows], order="C") for name in rows[0]}
    return kind.__name__, inputs, attributes


def _inputs(kind: type, p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """W, R, B and P of one direction."""
    W_x, W_h, b, b_h = (
        layout.reorder(p[name], layout.GATES[kind], GATES[kind])
        for name in ("W_x", "W_h", "b", "b_h")
    )
    inputs = {"W": W_x.T, "R": W_h.T, "B": np.concatenate([b, b_h])}
    if "p_i" in p:
        inputs["P"] = np.concatenate([p[name] for name in PEEPHOLES])
    return inputs


def _activations(names: Iterable[str]) -> dict[str, list]:
    """The attributes that say what an RNN's directions apply."""
    functions, alphas, betas = zip(*(ACTIVATIONS[name] for name in names), strict=True)
    attributes = {
        "activations": list(functions),
        "activation_alpha": [alpha for alpha in alphas if alpha is not None],
        "activation_beta": [beta for beta in betas if beta is not None],
    }
    return {name: value for name, value in attributes.items() if value}


def from_onnx(
    op_type: str,
    inputs: Mapping[str, object],
    attributes: Mapping[str, object] | None = None,
    *,
    merge: str = "concat",
) -> tuple[Layer, str]:
    """The layer that computes what an ONNX operator does: the way back from `to_onnx`.

    An operator without B gets b = 0. What went through `to_onnx` comes back to the bit; of an
    operator's two biases only the second of a GRU's candidate stays apart, as b_hn.

    Arguments: op_type, "RNN", "LSTM" or "GRU"; inputs, the arrays W, R and, if there, B and P
    (peepholes); attributes by name, as `onnx.helper.get_attribute_value` gives them; merge,
    "concat" or "sum": what the graph does with two directions. The attribute layout says how x
    lies in the graph; for us time comes first always.
    Returns the layer, an RNN, LSTM or GRU or a `Bidirectional` of two, which shares no memory
    with what came, and the direction. With "reverse" the cell reads from the last step to the
    first: hand it x[::-1] and turn its h around.
    Raises TypeError or ValueError naming the input or attribute, what was expected and what came.
    Source: as for `to_onnx`.

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0), reset="before")
    >>> again, direction = from_onnx(*to_onnx(layer, direction="reverse"))
    >>> again.reset, direction, bool((again.W_x == layer.W_x).all())
    ('before', 'reverse', True)
    """
    kind = KINDS[checking.choice("op_type", op_type, KINDS)]
    attributes = {name: _text(value) for name, value in (attributes or {}).items()}
    direction = checking.choice("direction", attributes.get("direction", "forward"), DIRECTIONS)
    count = 2 if direction == "bidirectional" else 1
    options = _options(kind, count, attributes)
    allowed = ("W", "R", "B", "P") if kind is LSTM else ("W", "R", "B")
    for name in inputs:
        if name not in allowed:
            raise ValueError(f"inputs: expected {', '.join(allowed)}, got {name!r}")
    for name in ("W", "R"):
        if name not in inputs:
            raise ValueError(f"inputs: expected {name!r}, got {', '.join(inputs) or 'none'}")

    R = checking.numbers(
        "R", inputs["R"], directions=count, rows=None, H=attributes.get("hidden_size")
    )
    H, G = R.shape[2], len(GATES[kind])
    axes = {
        "W": {"directions": count, f"{G}H": G * H, "D": None},
        "R": {"directions": count, f"{G}H": G * H, "H": H},
        "B": {"directions": count, f"{2 * G}H": 2 * G * H},
        "P": {"directions": count, "3H": 3 * H},
    }
    arrays = {name: checking.numbers(name, a, **axes[name]) for name, a in inputs.items()}
    cells = [
        _cell(kind, {name: a[k] for name, a in arrays.items()}, options[k]) for k in range(count)
    ]
    return (Bidirectional(*cells, merge=merge) if count == 2 else cells[0]), direction


def _text(value: object) -> object:
    """A string where onnx gives bytes, also in a list."""
    if isinstance(value, bytes):
        return value.decode()
    return [_text(part) for part in value] if isinstance(value, list | tuple) else value


def _options(kind: type, count: int, attributes: dict[str, object]) -> list[dict[str, object]]:
    """The options of each direction's cell; an attribute that we have nothing for is an error."""
    own = {RNN: set(), LSTM: {"input_forget"}, GRU: {"linear_before_reset"}}[kind]
    unknown = attributes.keys() - KNOWN - own
    if unknown:
        raise ValueError(f"attributes: our {kind.__name__} has nothing for {min(unknown)!r}")
    if kind is RNN:
        return [{"nonlinearity": name} for name in _nonlinearities(count, attributes)]
    functions = attributes.get("activations", FIXED[kind] * count)
    if functions != FIXED[kind] * count:
        raise ValueError(f"activations: expected {FIXED[kind] * count}, got {functions}")
    if kind is GRU:
        return [{"reset": "after" if attributes.get("linear_before_reset") else "before"}] * count
    return [{"coupled": True} if attributes.get("input_forget") else {}] * count


def _nonlinearities(count: int, attributes: dict[str, object]) -> list[str]:
    """What each direction of an RNN applies, in our words."""
    ours = {theirs: (name, *values) for name, (theirs, *values) in ACTIVATIONS.items()}
    functions = attributes.get("activations", ["Tanh"] * count)
    if len(functions) != count:
        raise ValueError(f"activations: expected one for each of {count}, got {functions}")
    # each function takes the next alpha and the next beta, if it takes any
    alphas = iter(attributes.get("activation_alpha", ()))
    betas = iter(attributes.get("activation_beta", ()))
    names = []
    for function in functions:
        name, alpha, beta = ours[checking.choice("activations", function, ours)]
        for which, wanted, given in (("alpha", alpha, alphas), ("beta", beta, betas)):
            got = wanted if wanted is None else next(given, wanted)
            if wanted is not None and np.float32(got) != np.float32(wanted):
                raise ValueError(f"activation_{which}: expected {wanted} for {function}, got {got}")
        names.append(name)
    return names


def _cell(kind: type, a: dict[str, np.ndarray], options: dict[str, object]) -> Layer:
    """The cell of one direction."""
    b, b_h = np.split(a["B"], 2) if "B" in a else np.zeros((2, len(a["R"])), a["R"].dtype)
    p = {"W_x": a["W"].T, "W_h": a["R"].T, "b": b, "b_h": b_h}
    p = {name: layout.reorder(value, GATES[kind], layout.GATES[kind]) for name, value in p.items()}
    if "P" in a:
        p |= dict(zip(PEEPHOLES, np.split(a["P"], 3), strict=True))
        options = options | {"peephole": True}
    return layout.build(kind, p, **options)
