"""The ways to compute a cell's gradients that cells.py times.

Each takes a case and returns two functions: the one that is timed, a forward and a full backward
pass, and one that names the gradients in what the first one returned. It imports what it needs by
itself, so that each runs as it does for its own users: importing rnn_teach would have saved the
others a part of their time, too (see cells/memory.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


class Case(NamedTuple):
    """A cell, a precision and a size: one row of the table."""

    cell: str
    dtype: str
    T: int
    N: int
    D: int
    H: int

    def arrays(self) -> tuple:
        """The parameters, x, the initial state and dh: the same in every process."""
        rng, k, G = np.random.default_rng(0), self.H**-0.5, GATES[self.cell] * self.H
        p = {"W_x": rng.uniform(-k, k, (self.D, G)), "W_h": rng.uniform(-k, k, (self.H, G))}
        p["b"] = rng.uniform(-0.1, 0.1, G)
        if self.cell == "GRU":
            p["b_hn"] = rng.uniform(-0.1, 0.1, self.H)
        x = rng.standard_normal((self.T, self.N, self.D))
        h0, c0 = rng.uniform(-0.5, 0.5, (2, self.N, self.H))
        state = (h0, c0) if self.cell == "LSTM" else (h0,)
        dh = rng.standard_normal((self.T, self.N, self.H))

        def cast(array: np.ndarray) -> np.ndarray:
            return array.astype(self.dtype, copy=False)

        return {name: cast(p[name]) for name in p}, cast(x), tuple(map(cast, state)), cast(dh)


def by_rnn_teach(case: Case) -> tuple[Callable, Callable]:
    import rnn_teach

    p, x, state, dh = case.arrays()
    cell = getattr(rnn_teach, case.cell)(case.D, case.H, rng=np.random.default_rng(0))
    for name, array in cell.parameters.items():
        array[:] = p[name]
    state = state if case.cell == "LSTM" else state[0]
    return lambda: cell.backward(cell.forward(x, state), dh), lambda grads: grads


def by_torch(case: Case) -> tuple[Callable, Callable]:
    import torch

    p, x, state, dh = case.arrays()
    net = getattr(torch.nn, case.cell)(case.D, case.H, dtype=getattr(torch, case.dtype))
    with torch.no_grad():
        net.weight_ih_l0[:], net.weight_hh_l0[:] = map(torch.tensor, (p["W_x"].T, p["W_h"].T))
        net.bias_ih_l0[:], net.bias_hh_l0[:] = torch.tensor(p["b"]), 0
        if case.cell == "GRU":
            net.bias_hh_l0[2 * case.H :] = torch.tensor(p["b_hn"])
    x, dh = torch.tensor(x, requires_grad=True), torch.tensor(dh)
    state = tuple(torch.tensor(array[None], requires_grad=True) for array in state)
    leaves = [*net.parameters(), x, *state]

    def run() -> tuple:
        h, _ = net(x, state if case.cell == "LSTM" else state[0])
        return torch.autograd.grad(h, leaves, dh)

    def named(grads: tuple) -> dict:
        W_x, W_h, b, b_h, x, *state = (array.numpy() for array in grads)
        grads = {"W_x": W_x.T, "W_h": W_h.T, "b": b, "x": x, "h0": state[0][0], "c0": state[-1][0]}
        return grads | {"b_hn": b_h[2 * case.H :]}

    return run, named


def by_jax(case: Case) -> tuple[Callable, Callable]:
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid
    p, x, state, dh = jax.tree.map(jnp.asarray, case.arrays())

    def loss(p: dict, x: object, state: tuple) -> object:
        def step(state: tuple, a: object) -> tuple:
            h, m = state[0], state[0] @ p["W_h"]
            if case.cell == "RNN":
                state = (jnp.tanh(a + m),)
            elif case.cell == "LSTM":
                i, f, g, o = jnp.split(a + m, 4, axis=1)
                c = sigmoid(f) * state[1] + sigmoid(i) * jnp.tanh(g)
                state = sigmoid(o) * jnp.tanh(c), c
            else:
                (a_r, a_z, a_n), (m_r, m_z, m_n) = jnp.split(a, 3, axis=1), jnp.split(m, 3, axis=1)
                z = sigmoid(a_z + m_z)
                n = jnp.tanh(a_n + sigmoid(a_r + m_r) * (m_n + p["b_hn"]))
                state = ((1 - z) * n + z * h,)
            return state, state[0]

        return jnp.sum(jax.lax.scan(step, state, x @ p["W_x"] + p["b"])[1] * dh)

    grad = jax.jit(jax.grad(loss, argnums=(0, 1, 2)))
    return lambda: jax.block_until_ready(grad(p, x, state)), by_name


def by_name(grads: tuple) -> dict:
    p, x, state = grads
    return p | {"x": x, "h0": state[0], "c0": state[-1]}


def naive_step(xp: object, gates: list, b_hn: object, x: object, state: tuple) -> tuple:
    """One step as the equations are printed, a gate at a time; `gates` holds (W_x, W_h, b)."""
    (h, *c), s = state, lambda a: 1 / (1 + xp.exp(-a))
    if len(gates) == 3:
        (W_xr, W_hr, b_r), (W_xz, W_hz, b_z), (W_xn, W_hn, b_n) = gates
        r, z = s(x @ W_xr + h @ W_hr + b_r), s(x @ W_xz + h @ W_hz + b_z)
        m = h @ W_hn + b_hn
        n = xp.tanh(x @ W_xn + b_n + r * m)
        return ((1 - z) * n + z * h,), (h, r, z, n, m)
    a = [x @ W_x + h @ W_h + b for W_x, W_h, b in gates]
    if len(gates) == 1:
        h = xp.tanh(a[0])
        return (h,), (h,)
    i, f, g, o = s(a[0]), s(a[1]), xp.tanh(a[2]), s(a[3])
    c, c_prev = f * c[0] + i * g, c[0]
    return (o * xp.tanh(c), c), (i, f, g, o, c, c_prev)


def naive_step_back(values: tuple, dh: np.ndarray, dc: np.ndarray | float) -> tuple:
    """For each gate how L depends on its two sums, x's and h's; and on h, c before the step."""
    if len(values) == 1:
        da = [dh * (1 - values[0] ** 2)]
        return da, da, 0, 0
    if len(values) == 5:
        h, r, z, n, m = values
        da_n = dh * (1 - z) * (1 - n**2)
        da_r, da_z = da_n * m * r * (1 - r), dh * (h - n) * z * (1 - z)
        return [da_r, da_z, da_n], [da_r, da_z, da_n * r], dh * z, 0
    i, f, g, o, c, c_prev = values
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    da = [dc * g * i * (1 - i), dc * c_prev * f * (1 - f)]
    da += [dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)]
    return da, da, 0, dc * f


def separate(case: Case, p: dict) -> tuple:
    """The gates' own matrices, as a first program has them."""
    parts = (np.split(p[name], GATES[case.cell], axis=-1) for name in ("W_x", "W_h", "b"))
    return [tuple(map(np.copy, gate)) for gate in zip(*parts, strict=True)], p.get("b_hn", 0.0)


def by_hand(case: Case) -> tuple[Callable, Callable]:
    p, x, start, dh = case.arrays()
    gates, b_hn = separate(case, p)

    def run() -> tuple:
        state, saved = start, []
        for t in range(case.T):
            state, values = naive_step(np, gates, b_hn, x[t], state)
            saved.append((values, state[0]))
        dgates = [[np.zeros_like(array) for array in gate] for gate in gates]
        dx, db_hn, back, dc = np.zeros_like(x), np.zeros_like(b_hn), np.zeros_like(start[0]), 0.0
        for t in reversed(range(case.T)):
            da, dm, back, dc = naive_step_back(saved[t][0], dh[t] + back, dc)
            h_prev = saved[t - 1][1] if t else start[0]
            for k, (W_x, W_h, _) in enumerate(gates):
                dgates[k][0] += x[t].T @ da[k]
                dgates[k][1] += h_prev.T @ dm[k]
                dgates[k][2] += da[k].sum(axis=0)
                dx[t] += da[k] @ W_x.T
                back = back + dm[k] @ W_h.T
            if case.cell == "GRU":
                db_hn += dm[2].sum(axis=0)
        return dgates, db_hn, dx, (back, dc)

    return run, stacked


def stacked(grads: tuple) -> dict:
    gates, b_hn, x, state = grads
    W_x, W_h, b = (np.concatenate(parts, axis=-1) for parts in zip(*gates, strict=True))
    return by_name(({"W_x": W_x, "W_h": W_h, "b": b, "b_hn": b_hn}, x, state))


def by_autograd(case: Case) -> tuple[Callable, Callable]:
    import autograd
    import autograd.numpy as anp

    p, x, state, dh = case.arrays()

    def loss(arguments: tuple) -> object:
        (gates, b_hn, x, state), total = arguments, 0.0
        for t in range(case.T):
            state, _ = naive_step(anp, gates, b_hn, x[t], state)
            total = total + anp.sum(state[0] * dh[t])
        return total

    grad, arguments = autograd.grad(loss), (*separate(case, p), x, state)
    return lambda: grad(arguments), stacked


def products(case: Case) -> tuple[Callable, Callable]:
    """The limit: only the matrix products that nobody can avoid."""
    p, x, (h, *_), _ = case.arrays()
    W_x, W_h, rows = p["W_x"], p["W_h"], x.reshape(-1, case.D)
    W_hT = W_h.T.copy()  # the quicker layout, as the cells use it
    da = np.ones((case.T, case.N, W_h.shape[1]), x.dtype)  # zeros would all be one page
    a, back, states = da[0].copy(), h.copy(), np.ones((len(rows), case.H), x.dtype)

    def run() -> None:
        rows @ W_x
        for _ in range(case.T):
            h.dot(W_h, out=a)
        for t in reversed(range(case.T)):
            da[t].dot(W_hT, out=back)
        all_da = da.reshape(len(rows), -1)
        rows.T @ all_da, states.T @ all_da, all_da @ W_x.T

    return run, lambda nothing: {}


CONTENDERS = {  # and the distribution each needs
    "rnn_teach": (by_rnn_teach, "numpy"),
    "torch": (by_torch, "torch"),
    "jax": (by_jax, "jax"),
    "autograd": (by_autograd, "autograd"),
    "naive": (by_hand, "numpy"),
    "limit": (products, "numpy"),
}
