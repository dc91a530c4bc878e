"""The weights of torch.nn.RNN, LSTM and GRU, in the layout of their `state_dict`."""

import re
from collections.abc import Mapping

import numpy as np

from ..bidirectional import Bidirectional
from ..cells import GRU, RNN, Layer, checking
from ..deep import Chain
from . import layout

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def to_torch(layer: Layer, *, prefix: str = "") -> dict[str, np.ndarray]:
    """What `load_state_dict` of a torch.nn.RNN, LSTM or GRU expects, as arrays.

        weight_ih_l0 = W_x^T    weight_hh_l0 = W_h^T    bias_ih_l0 = b    bias_hh_l0 = 0

    PyTorch's gates stand in our order, i f g o and r z n; z keeps; the reset comes after the
    product. Its matrices are ours transposed. It adds two biases to each gate: the second is zero
    here, but for the last third of a GRU's, which is b_hn. A coupled forget gate is written out.

    Arguments: layer, an RNN (tanh or relu), LSTM or GRU (reset="after"), a `Bidirectional` that
    concatenates two of them, or a `Chain` of such layers, all of one kind and H; prefix, put
    before each key, such as "encoder.".
    Returns new arrays by key: "weight_ih_l0", ..., "bias_hh_l1_reverse", in the dtype they have.
    Raises TypeError or ValueError naming what PyTorch has no place for.
    Source: the documentation of torch.nn.RNN, LSTM and GRU, version 2.13, "Variables".

    Load it with

        module = torch.nn.GRU(D, H).double()
        module.load_state_dict({key: torch.from_numpy(a) for key, a in to_torch(layer).items()})

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0))
    >>> {key: a.shape for key, a in to_torch(layer).items()}
    {'weight_ih_l0': (12, 3), 'weight_hh_l0': (12, 4), 'bias_ih_l0': (12,), 'bias_hh_l0': (12,)}
    """
    stack = layer.layers if isinstance(layer, Chain) else [layer]
    rows = [layout.directions(part) for part in stack]
    cells = [cell for row in rows for cell in row]
    _check_stack(stack, rows, cells)
    state_dict = {}
    for k, row in enumerate(rows):
        for cell, end in zip(row, ("", "_reverse"), strict=False):
            p = layout.weights(cell, "PyTorch")
            arrays = (p["W_x"].T.copy(), p["W_h"].T.copy(), p["b"], p["b_h"])
            for name, value in zip(NAMES, arrays, strict=True):
                state_dict[f"{prefix}{name}_l{k}{end}"] = value
    return state_dict


def _check_stack(stack: list, rows: list[list], cells: list) -> None:
    """Raises ValueError for what one torch.nn module cannot be."""
    builds = {
        (type(cell).__name__, f"H={cell.H}", f"{len(row)} directions")
        for row in rows
        for cell in row
    }
    if len(builds) > 1:
        raise ValueError(f"layer: PyTorch's stack is of one build, got {sorted(builds)}")
    for part in stack:
        if isinstance(part, Bidirectional) and (part.merge != "concat" or not part.align):
            raise ValueError(
                'layer: PyTorch has only Bidirectional(merge="concat", align=True), '
                f"got merge={part.merge!r}, align={part.align}"
            )
    for cell in cells:
        if isinstance(cell, GRU) and cell.reset != "after":
            raise ValueError(f"layer: PyTorch's GRU resets after the product, got {cell.reset!r}")
    functions = {cell.nonlinearity for cell in cells if isinstance(cell, RNN)}
    if functions and functions not in ({"tanh"}, {"relu"}):
        raise ValueError(
            f"layer: PyTorch's RNN has 'tanh' or 'relu' everywhere, got {sorted(functions)}"
        )


def from_torch(
    state_dict: Mapping[str, object], *, nonlinearity: str = "tanh", prefix: str = ""
) -> Layer:
    """The layer with the weights of a torch.nn.RNN, LSTM or GRU: the way back from `to_torch`.

        W_x = weight_ih^T    W_h = weight_hh^T    b = bias_ih + bias_hh

    but of a GRU's bias_hh the last third becomes b_hn. Which cell it is, how many layers and
    directions, follows from keys and shapes. A module with bias=False gets b = 0. The weights of
    a layer that went through `to_torch` come back to the bit (a coupled LSTM with four gates);
    PyTorch's own two biases come back as one.

    Arguments: state_dict, arrays or CPU tensors by key; nonlinearity, "tanh" or "relu": the
    state_dict of a torch.nn.RNN does not tell; prefix, which keys to read, such as "encoder.":
    others are left alone.
    Returns an RNN, LSTM or GRU, a `Bidirectional` of two, or a `Chain` of such layers, which
    share no memory with what came.
    Raises TypeError or ValueError naming the key, what was expected and what came.
    Source: as for `to_torch`.

    >>> layer = GRU(3, 4, rng=np.random.default_rng(0))
    >>> again = from_torch(to_torch(layer))
    >>> type(again).__name__, bool((again.W_x == layer.W_x).all())
    ('GRU', True)
    """
    checking.choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    options = {} if nonlinearity == "tanh" else {"nonlinearity": nonlinearity}
    found = {
        key.removeprefix(prefix): value
        for key, value in state_dict.items()
        if key.startswith(prefix)
    }
    depth, ends, biased = _expect_keys(found, prefix)

    def numbers(key: str, **axes: int | None) -> np.ndarray:
        return checking.numbers(prefix + key, found[key], **axes)

    rows, H = numbers("weight_hh_l0", rows=None, H=None).shape
    kind = layout.kind(f"{prefix}weight_hh_l0", rows, H)
    G_H, D, stack = {f"{rows // H}H": rows}, None, []
    for k in range(depth):
        cells = []
        for end in ends:
            W_ih = numbers(f"weight_ih_l{k}{end}", **G_H, D=D)
            W_hh = numbers(f"weight_hh_l{k}{end}", **G_H, H=H)
            b = b_h = np.zeros(rows, W_hh.dtype)
            if biased:
                b, b_h = (numbers(f"{name}_l{k}{end}", **G_H) for name in NAMES[2:])
            p = {"W_x": W_ih.T, "W_h": W_hh.T, "b": b, "b_h": b_h}
            cells.append(layout.build(kind, p, **options))
            D = cells[0].D
        stack.append(Bidirectional(*cells) if len(cells) == 2 else cells[0])
        D = stack[-1].H
    return stack[0] if depth == 1 else Chain(stack)


def _expect_keys(found: Mapping[str, object], prefix: str) -> tuple[int, tuple[str, ...], bool]:
    """How many layers there are, how the keys of each direction end, and whether there are biases.

    Raises ValueError if a key is missing or unknown.
    """
    depth = sum(re.fullmatch(r"weight_ih_l\d+", key) is not None for key in found)
    ends = ("", "_reverse") if "weight_ih_l0_reverse" in found else ("",)
    biased = "bias_ih_l0" in found
    names = NAMES if biased else NAMES[:2]
    wanted = [f"{name}_l{k}{end}" for k in range(max(1, depth)) for end in ends for name in names]
    for key in wanted:
        if key not in found:
            got = ", ".join(prefix + other for other in found) or "none"
            raise ValueError(f"state_dict: expected a key {prefix + key!r}, got {got}")
    for key in found:
        if key not in wanted:
            raise ValueError(
                f"state_dict: expected no key {prefix + key!r} beside {prefix}{wanted[0]}"
            )
    return depth, ends, biased
