"""The weights of keras.layers.SimpleRNN, LSTM, GRU and Bidirectional, as `get_weights` lists them."""

from collections.abc import Sequence

import numpy as np

from ..bidirectional import Bidirectional
from ..cells import GRU, LSTM, RNN, Layer, checking
from . import layout

NAMES = ("kernel", "recurrent_kernel", "bias")
GATES = {RNN: "n", GRU: "zrn", LSTM: "ifgo"}  # in our letters: Keras writes h for n and c for g


def to_keras(layer: Layer) -> list[np.ndarray]:
    """What `set_weights` of a Keras layer expects: kernel, recurrent_kernel and bias.

        kernel = W_x    recurrent_kernel = W_h    bias = b, or [b, (0, 0, b_hn)] with reset_after

    Keras takes rows as examples, as we do. The LSTM's gates stand in our order (i f c o, where c
    is our g), the GRU's in the order z r h; z keeps. GRU(reset_after=True), its default, is our
    reset="after" and adds two biases to each gate, the rows of a (2, 3H) array: the second is
    zero here, but for its last third. GRU(reset_after=False) is reset="before" and has one bias.
    A coupled forget gate is written out.

    Arguments: layer, an RNN, LSTM or GRU, or a `Bidirectional` of two: the backward layer's
    arrays follow. A Keras model has one such list for each layer: convert a `Chain` layer by layer.
    Returns new arrays: kernel (D, G H), recurrent_kernel (H, G H), bias (G H,) or (2, 3H).
    Raises TypeError or ValueError naming what Keras has no place for.
    Source: keras/src/layers/rnn/{simple_rnn,lstm,gru,bidirectional}.py, Keras 3.

    The list does not hold the activation: "identity" is Keras' "linear", and its "leaky_relu" has
    the slope 0.2 on the left unless told otherwise, ours 0.01. Load it with

        keras.layers.GRU(H, reset_after=True, return_sequences=True).set_weights(to_keras(layer))

    once the layer is built. Keras' x is (N, T, D).

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0))
    >>> [a.shape for a in to_keras(layer)]
    [(3, 12), (4, 12), (2, 12)]
    """
    arrays = []
    for cell in layout.directions(layer):
        p = layout.weights(cell, "Keras")
        W_x, W_h, b, b_h = (
            layout.reorder(p[name], layout.GATES[type(cell)], GATES[type(cell)])
            for name in ("W_x", "W_h", "b", "b_h")
        )
        after = isinstance(cell, GRU) and cell.reset == "after"
        arrays += [W_x, W_h, np.stack([b, b_h]) if after else b]
    return arrays


def from_keras(
    weights: Sequence[object],
    *,
    nonlinearity: str = "tanh",
    reset: str | None = None,
    merge: str = "concat",
) -> Layer:
    """The layer with the weights of a Keras layer: the way back from `to_keras`.

    Which cell it is follows from the shapes. A layer with use_bias=False gets b = 0. The weights
    of a layer that went through `to_keras` come back to the bit (a coupled LSTM with four gates);
    of a Keras GRU's two biases only the candidate's second stays apart, as b_hn.

    Arguments: weights, the 2 or 3 arrays of one SimpleRNN, LSTM or GRU, or twice as many of a
    Bidirectional; nonlinearity of a SimpleRNN, a name in `functional.ACTIVATIONS`; reset of a GRU,
    "after" or "before": None reads it off the bias; merge, Keras' merge_mode of a Bidirectional.
    Returns an RNN, LSTM or GRU, or a `Bidirectional` of two, which share no memory with what came.
    Raises TypeError or ValueError naming the array, what was expected and what came.
    Source: as for `to_keras`.

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0), reset="before")
    >>> again = from_keras(to_keras(layer))
    >>> again.reset, bool((again.W_x == layer.W_x).all())
    ('before', True)
    """
    options = {} if nonlinearity == "tanh" else {"nonlinearity": nonlinearity}
    if reset is not None:
        options["reset"] = checking.choice("reset", reset, ("after", "before"))
    count = len(weights)
    if count in (2, 3):
        return _cell(weights, 0, options)
    if count in (4, 6):
        half = count // 2
        cells = (_cell(weights[:half], 0, options), _cell(weights[half:], half, options))
        return Bidirectional(*cells, merge=merge)
    raise ValueError(
        "weights: expected kernel, recurrent_kernel and perhaps bias, or twice as many "
        f"(Bidirectional), got {count} arrays"
    )


def _cell(weights: Sequence[object], start: int, options: dict[str, str]) -> Layer:
    """The cell of one direction; `start` is where its arrays stood in the list."""
    names = [f"weights[{start + k}] ({name})" for k, name in enumerate(NAMES)]
    W_h = checking.numbers(names[1], weights[1], H=None, columns=None)
    H, columns = W_h.shape
    kind, G_H = layout.kind(names[1], columns, H), {f"{columns // H}H": columns}
    W_x = checking.numbers(names[0], weights[0], D=None, **G_H)
    b = b_h = np.zeros(columns, W_h.dtype)
    if kind is GRU and "reset" not in options:
        options = options | {"reset": _reset(weights)}
    if len(weights) == 3:
        if kind is GRU and options["reset"] == "after":
            b, b_h = checking.numbers(names[2], weights[2], biases=2, **G_H)
        else:
            b = checking.numbers(names[2], weights[2], **G_H)
    p = {"W_x": W_x, "W_h": W_h, "b": b, "b_h": b_h}
    p = {name: layout.reorder(a, GATES[kind], layout.GATES[kind]) for name, a in p.items()}
    return layout.build(kind, p, **options)


def _reset(weights: Sequence[object]) -> str:
    """Where a Keras GRU resets: only after the product does it have two rows of biases."""
    if len(weights) == 2:
        raise ValueError(
            "reset: expected 'after' or 'before', as a GRU without bias does not tell, got None"
        )
    return "after" if np.ndim(weights[2]) == 2 else "before"
