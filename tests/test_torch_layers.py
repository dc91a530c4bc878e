"""Layers on layers and both directions in PyTorch give the same numbers, in float64."""

import numpy as np
import pytest
import torch
from cases import CELLS
from layers import asked_while_running, flat, layer_case, run
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_teach.bidirectional import Bidirectional
from rnn_teach.deep import Chain

MODULES = {
    "RNN-tanh": torch.nn.RNN,
    "RNN-relu": lambda D, H, **options: torch.nn.RNN(D, H, nonlinearity="relu", **options),
    "LSTM": torch.nn.LSTM,
    "GRU-after": torch.nn.GRU,
}
D, H = 3, 5


def stack(kind, depth, both):
    """The chain of as many layers, and its cells by the suffix of PyTorch's names for them."""
    rng, cells, layers = np.random.default_rng(0), {}, []
    for k in range(depth):
        size = D if k == 0 else H * (1 + both)
        pair = [CELLS[kind](size, H, rng) for _ in range(1 + both)]
        cells |= dict(zip((f"l{k}", f"l{k}_reverse"), pair, strict=False))
        layers.append(Bidirectional(*pair) if both else pair[0])
    return Chain(layers), cells


def prefix(chain, suffix):
    """Where the grads of a cell are: "1." or "1.backward."."""
    k, _, reverse = suffix[1:].partition("_")
    if not isinstance(chain.layers[0], Bidirectional):
        return f"{k}."
    return f"{k}.backward." if reverse else f"{k}.forward."


def in_torch(kind, cells, depth, both):
    """PyTorch's module with the same weights; it has a second bias, which only GRU's n needs."""
    module = MODULES[kind](D, H, num_layers=depth, bidirectional=both).double()
    with torch.no_grad():
        for suffix, cell in cells.items():
            getattr(module, f"weight_ih_{suffix}").copy_(torch.tensor(cell.W_x.T))
            getattr(module, f"weight_hh_{suffix}").copy_(torch.tensor(cell.W_h.T))
            getattr(module, f"bias_ih_{suffix}").copy_(torch.tensor(cell.b))
            getattr(module, f"bias_hh_{suffix}").zero_()
            if kind == "GRU-after":
                getattr(module, f"bias_hh_{suffix}")[2 * H :] = torch.tensor(cell.b_hn)
    return module


@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
@pytest.mark.parametrize(
    ("depth", "both"),
    [(1, True), (2, False), (2, True), (3, False), (3, True)],
    ids=["1-both", "2-forward", "2-both", "3-forward", "3-both"],
)
@pytest.mark.parametrize("kind", MODULES)
def test_outputs_and_gradients_are_those_of_pytorch(kind, depth, both, ragged):
    chain, cells = stack(kind, depth, both)
    c = layer_case(chain, T=30, N=6, ragged=ragged)
    if ragged:
        lengths = np.array([7, 30, 1, 12, 29, 1])
        c = asked_while_running(c._replace(lengths=lengths))  # PyTorch has zeros after the end
    trace, grads = run(c)

    module = in_torch(kind, cells, depth, both)
    x = torch.tensor(c.x, requires_grad=True)
    parts = ("h0", "c0") if kind == "LSTM" else ("h0",)
    initial, dfinal = (
        [torch.tensor(np.stack([arrays[prefix(chain, s) + part] for s in cells])) for part in parts]
        for arrays in (c.initial, c.dfinal)
    )
    for state in initial:
        state.requires_grad_()
    inputs = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False) if ragged else x
    h, final = module(inputs, tuple(initial) if kind == "LSTM" else initial[0])
    if ragged:
        h, _ = pad_packed_sequence(h)
    final = final if kind == "LSTM" else (final,)
    loss = (h * torch.tensor(c.dh)).sum()
    loss = loss + sum((s * d).sum() for s, d in zip(final, dfinal, strict=True))
    loss.backward()

    def same(ours, theirs, name):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10, err_msg=name)

    runs = slice(None) if trace.mask is None else trace.mask
    same(trace.h[runs], h.detach().numpy()[runs], "h")
    same(grads["x"], x.grad.numpy(), "x")
    ours = np.stack(flat(trace.final)).reshape(len(cells), len(parts), -1, H)
    for j, part in enumerate(parts):
        same(ours[:, j], final[j].detach().numpy(), f"final {part}")
    for k, suffix in enumerate(cells):
        at = prefix(chain, suffix)
        same(grads[f"{at}W_x"], getattr(module, f"weight_ih_{suffix}").grad.numpy().T, suffix)
        same(grads[f"{at}W_h"], getattr(module, f"weight_hh_{suffix}").grad.numpy().T, suffix)
        same(grads[f"{at}b"], getattr(module, f"bias_ih_{suffix}").grad.numpy(), suffix)
        if kind == "GRU-after":
            b_hn = getattr(module, f"bias_hh_{suffix}").grad.numpy()[2 * H :]
            same(grads[f"{at}b_hn"], b_hn, suffix)
        for part, state in zip(parts, initial, strict=True):
            same(grads[at + part], state.grad.numpy()[k], f"{suffix} {part}")


@pytest.mark.parametrize("kind", MODULES)
def test_unaligned_ends_with_what_pytorch_calls_h_n(kind):
    """The usual features of a whole sequence, torch.cat([h_n[0], h_n[1]], dim=1), are our h[-1]."""
    _, cells = stack(kind, 1, True)
    layer = Bidirectional(*cells.values(), align=False)
    c = layer_case(layer, T=9, N=3, ragged=True)
    trace = layer.forward(c.x, None, c.lengths)
    module = in_torch(kind, cells, 1, True)
    with torch.no_grad():
        packed = pack_padded_sequence(
            torch.tensor(c.x), torch.tensor(c.lengths), enforce_sorted=False
        )
        _, final = module(packed)
        h_n = final[0] if kind == "LSTM" else final
    np.testing.assert_allclose(trace.h[-1], torch.cat([h_n[0], h_n[1]], dim=1), atol=1e-12)
