"""What the tests of composed layers share: nested states, and one loss that asks for everything."""

from typing import NamedTuple

import numpy as np
from cases import frozen

from rnn_teach import LSTM
from rnn_teach.bidirectional import Bidirectional
from rnn_teach.deep import Chain, Dense
from rnn_teach.gradcheck import with_parameters


class LayerCase(NamedTuple):
    """A layer and read-only arguments for its forward and backward; initial has names as grads."""

    layer: object
    x: np.ndarray
    initial: dict[str, np.ndarray]
    lengths: np.ndarray | None
    dh: np.ndarray
    dfinal: dict[str, np.ndarray]


def layer_case(layer, T=5, N=3, *, ragged=False, seed=0) -> LayerCase:
    """Random arguments, and biases that are not zero, or a wrong one would go unnoticed."""
    rng = np.random.default_rng(seed)
    for p in layer.parameters.values():
        p += rng.normal(size=p.shape) / 4
        frozen(p)
    x, dh = (frozen(rng.normal(size=(T, N, size))) for size in (layer.D, layer.H))
    initial, dfinal = (
        {name: frozen(rng.normal(size=(N, H))) for name, H in state_sizes(layer).items()}
        for _ in range(2)
    )
    # the longest in the middle: not sorted, and one of a single step
    lengths = frozen(np.array([T - 2, T, *[1] * (N - 2)])) if ragged else None
    return LayerCase(layer, x, initial, lengths, dh, dfinal)


def state_sizes(layer) -> dict[str, int]:
    """The names and sizes of the initial states, as `backward` names them."""
    if isinstance(layer, Dense):
        return {}
    if isinstance(layer, LSTM):
        return {"h0": layer.H, "c0": layer.H}
    if not isinstance(layer, Chain | Bidirectional):
        return {"h0": layer.H}
    return {
        f"{key}.{name}": H
        for key, part in layer.parts.items()
        for name, H in state_sizes(part).items()
    }


def nested(layer, flat: dict, prefix: str = ""):
    """Arrays by name, put together as `forward` takes a state."""
    if isinstance(layer, Chain | Bidirectional):
        return tuple(nested(part, flat, f"{prefix}{key}.") for key, part in layer.parts.items())
    arrays = tuple(flat[prefix + name] for name in state_sizes(layer))
    return {0: None, 1: arrays[0] if arrays else None}.get(len(arrays), arrays)


def flat(state) -> list[np.ndarray]:
    """The arrays of a state, in the order of their names."""
    if state is None:
        return []
    return [a for part in state for a in flat(part)] if isinstance(state, tuple) else [state]


def run(c: LayerCase):
    """The trace and all gradients."""
    trace = c.layer.forward(c.x, nested(c.layer, c.initial), c.lengths)
    return trace, c.layer.backward(trace, c.dh, nested(c.layer, c.dfinal))


def loss_and_gradients(c: LayerCase):
    """A loss that asks every h_t and every final state, and its gradient by all it depends on."""

    def loss(p):
        layer = with_parameters(c.layer, p)
        trace = layer.forward(p["x"], nested(layer, p), c.lengths)
        finals = zip(c.dfinal.values(), flat(trace.final), strict=True)
        return (c.dh * trace.h).sum() + sum((d * s).sum() for d, s in finals)

    params = c.layer.parameters | {"x": c.x} | c.initial
    return loss, params, run(c)[1]


def alone(c: LayerCase, n: int) -> LayerCase:
    """Sequence n of a batch on its own, cut to its length; nothing may be asked after its end."""
    T, one = c.lengths[n], slice(n, n + 1)
    assert not c.dh[T:, one].any()
    return c._replace(
        x=c.x[:T, one],
        initial={name: a[one] for name, a in c.initial.items()},
        lengths=None,
        dh=c.dh[:T, one],
        dfinal={name: a[one] for name, a in c.dfinal.items()},
    )


def asked_while_running(c: LayerCase) -> LayerCase:
    """The same case, but the loss asks nothing after the end of a sequence."""
    runs = np.arange(len(c.x))[:, None] < c.lengths
    return c._replace(dh=frozen(c.dh * runs[:, :, None]))


def assert_each_sequence_is_alone(c: LayerCase) -> None:
    """A ragged batch gives every sequence what it would get without the others and the padding."""
    c = asked_while_running(c)
    trace, grads = run(c)
    summed = dict.fromkeys(c.layer.parameters, 0.0)
    for n, T in enumerate(c.lengths):
        one = alone(c, n)
        its_trace, its_grads = run(one)
        np.testing.assert_allclose(trace.h[:T, [n]], its_trace.h, atol=1e-13)
        for ours, its in zip(flat(trace.final), flat(its_trace.final), strict=True):
            np.testing.assert_allclose(ours[[n]], its, atol=1e-13)
        np.testing.assert_allclose(grads["x"][:T, [n]], its_grads["x"], atol=1e-13)
        assert not grads["x"][T:, n].any()
        for name in c.initial:
            np.testing.assert_allclose(grads[name][[n]], its_grads[name], atol=1e-13)
        for name in summed:
            summed[name] = summed[name] + its_grads[name]
    for name, gradient in summed.items():
        np.testing.assert_allclose(grads[name], gradient, atol=1e-12, err_msg=name)
    # and what stands in the padding is nobody's business
    noise = np.where(np.arange(len(c.x))[:, None, None] < c.lengths[:, None], c.x, 1e3)
    noisy_trace, noisy = run(c._replace(x=noise))
    np.testing.assert_allclose(noisy["x"], grads["x"], atol=1e-13)
    for name in summed:
        np.testing.assert_allclose(noisy[name], grads[name], atol=1e-12, err_msg=name)
    for ours, noisy_state in zip(flat(trace.final), flat(noisy_trace.final), strict=True):
        np.testing.assert_array_equal(noisy_state, ours)


def assert_keeps_the_house_rules(c: LayerCase) -> None:
    """Names and shapes of gradients, the same bits twice, float32 for float32."""
    (trace, grads), (again, grads_again) = run(c), run(c)
    np.testing.assert_array_equal(trace.h, again.h)
    assert grads.keys() == grads_again.keys()
    for name, gradient in grads.items():
        np.testing.assert_array_equal(gradient, grads_again[name], err_msg=name)
        assert not np.shares_memory(gradient, c.dh), name
    shapes = c.layer.shapes | {"x": c.x.shape, "h": c.dh.shape}
    shapes |= {name: a.shape for name, a in c.initial.items()}
    assert {name: grads[name].shape for name in shapes} == shapes
    assert {name: p.shape for name, p in c.layer.parameters.items()} == c.layer.shapes
    assert trace.h.shape == c.dh.shape

    x = c.x.astype(np.float32)
    trace = c.layer.forward(x, None, c.lengths)
    single = c.layer.backward(trace, c.dh.astype(np.float32))
    arrays = [trace.h, *flat(trace.final), *single.values()]
    assert {a.dtype.name for a in arrays} == {"float32"}
    exact = c.layer.backward(c.layer.forward(c.x, None, c.lengths), c.dh)
    for name, gradient in exact.items():
        np.testing.assert_allclose(single[name], gradient, rtol=1e-3, atol=1e-3, err_msg=name)
