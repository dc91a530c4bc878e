"""The same weights in PyTorch give the same numbers: outputs and every gradient, in float64."""

import numpy as np
import pytest
import torch
from cases import ACTIVATIONS, case, halves
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_teach import LSTM
from rnn_teach.functional import cross_entropy, squared_error

MODULES = {
    "RNN-tanh": lambda D, H: torch.nn.RNN(D, H, nonlinearity="tanh"),
    "RNN-relu": lambda D, H: torch.nn.RNN(D, H, nonlinearity="relu"),
    "LSTM": torch.nn.LSTM,
    "LSTM-forget-1": torch.nn.LSTM,
    "GRU-after": torch.nn.GRU,
}
SHAPES = {
    "one-step": {"T": 1, "N": 1, "D": 3, "H": 4},
    "one-step-batch": {"T": 1, "N": 6, "D": 2, "H": 5},
    "one-unit": {"T": 12, "N": 2, "D": 1, "H": 1},
    "long": {"T": 150, "N": 3, "D": 5, "H": 16},
    "long-ragged": {"T": 150, "N": 9, "D": 5, "H": 16, "ragged": True},
}


def tensor(array, *, grad=False):
    return torch.tensor(np.array(array), requires_grad=grad)


def in_torch(cell, kind):
    """PyTorch's module with the same weights; it has a second bias, which only GRU's n needs."""
    module = MODULES[kind](cell.D, cell.H).double()
    H = cell.H
    with torch.no_grad():
        module.weight_ih_l0.copy_(tensor(cell.W_x.T))
        module.weight_hh_l0.copy_(tensor(cell.W_h.T))
        module.bias_ih_l0.copy_(tensor(cell.b))
        module.bias_hh_l0.zero_()
        if kind == "GRU-after":
            module.bias_hh_l0[2 * H :] = tensor(cell.b_hn)
    return module


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", MODULES)
def test_outputs_and_gradients_are_those_of_pytorch(kind, shape):
    c = case(kind, **SHAPES[shape])
    cell, H, T = c.cell, c.cell.H, len(c.x)
    dh = c.dh
    if c.lengths is not None:  # PyTorch gives zeros after the end, so nothing may be asked there
        dh = dh * (np.arange(T)[:, None] < c.lengths)[:, :, None]

    trace = cell.forward(c.x, c.state, c.lengths)
    grads = cell.backward(trace, dh, c.dstate)

    module = in_torch(cell, kind)
    x = tensor(c.x, grad=True)
    state = [tensor(s, grad=True) for s in halves(c.state)]
    initial = tuple(s[None] for s in state)
    initial = initial if isinstance(cell, LSTM) else initial[0]
    if c.lengths is None:
        h, final = module(x, initial)
    else:
        packed = pack_padded_sequence(x, torch.tensor(c.lengths.tolist()), enforce_sorted=False)
        h, final = module(packed, initial)
        h, _ = pad_packed_sequence(h)
    final = halves(final)
    loss = (h * tensor(dh)).sum()
    loss = loss + sum(
        (s[0] * tensor(d)).sum() for s, d in zip(final, halves(c.dstate), strict=True)
    )
    loss.backward()

    runs = slice(None) if trace.mask is None else trace.mask
    expected = {
        "W_x": module.weight_ih_l0.grad.T,
        "W_h": module.weight_hh_l0.grad.T,
        "b": module.bias_ih_l0.grad,
        "x": x.grad,
        "h0": state[0].grad,
    }
    if "c0" in grads:
        expected["c0"] = state[1].grad
    if "b_hn" in grads:
        expected["b_hn"] = module.bias_hh_l0.grad[2 * H :]
    np.testing.assert_allclose(trace.h[runs], h.detach().numpy()[runs], rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(halves(trace.final), final, strict=True):
        np.testing.assert_allclose(ours, theirs[0].detach().numpy(), rtol=1e-10, atol=1e-10)
    assert grads.keys() - expected.keys() <= {"h", "c", "c_carried"}
    for name, theirs in expected.items():
        np.testing.assert_allclose(
            grads[name], theirs.numpy(), rtol=1e-10, atol=1e-10, err_msg=name
        )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_pytorch(name):
    function = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu": torch.nn.functional.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "elu": torch.nn.functional.elu,
        "identity": torch.nn.Identity(),
    }[name]
    a = tensor(np.linspace(-6, 6, 49), grad=True)
    y = function(a)
    y.sum().backward()
    ours = ACTIVATIONS[name].value(a.detach().numpy())
    np.testing.assert_allclose(ours, y.detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(ACTIVATIONS[name].slope(ours), a.grad.numpy(), atol=1e-14)


def test_losses_are_those_of_pytorch():
    rng = np.random.default_rng(0)
    y, target = rng.normal(size=(2, 7, 4)) * 3
    symbols = rng.integers(4, size=7)
    for ours, theirs in (
        (
            cross_entropy(y, symbols),
            lambda a: torch.nn.functional.cross_entropy(a, tensor(symbols), reduction="sum"),
        ),
        (
            squared_error(y, target),
            lambda a: torch.nn.functional.mse_loss(a, tensor(target), reduction="sum"),
        ),
    ):
        a = tensor(y, grad=True)
        loss = theirs(a)
        loss.backward()
        assert ours[0] == pytest.approx(loss.item(), rel=1e-13)
        np.testing.assert_allclose(ours[1], a.grad.numpy(), atol=1e-13)
