"""What the checks of all three cells share: a cell with given weights, and arguments to try."""

from itertools import permutations

import numpy as np


def cell_of(kind: type, parameters: dict[str, np.ndarray], **options):
    """An RNN, LSTM or GRU with these parameters."""
    D, H = len(parameters["W_x"]), len(parameters["W_h"])
    cell = kind(D, H, rng=np.random.default_rng(0), **options)
    for name, p in parameters.items():
        setattr(cell, name, p)
    return cell


def step_cases(gates: int, states: int, more: int = 0, slopes: int = 0) -> list[tuple]:
    """Arguments of a step: `slopes` arrays like a state, x, `states` states, W_x, W_h, b, `more` (H,).

    At first N = D = H, where even a transposed matrix fits and can be recognized.
    """
    rng = np.random.default_rng(1)
    return [
        (
            *rng.normal(size=(slopes, N, H)),
            rng.normal(size=(N, D)),
            *rng.normal(size=(states, N, H)),
            rng.normal(size=(D, gates * H)),
            rng.normal(size=(H, gates * H)),
            rng.normal(size=gates * H),
            *rng.normal(size=(more, H)),
        )
        for N, D, H in ((3, 3, 3), (4, 2, 5), (1, 3, 2))
    ]


# from the gradient of a = x W_x + h_prev W_h + b to those of its parts
BACK_FROM_A = {
    "dx": lambda da, W_x: da @ W_x.T,
    "dh_prev": lambda da, W_h: da @ W_h.T,
    "dW_x": lambda x, da: x.T @ da,
    "dW_h": lambda h_prev, da: h_prev.T @ da,
    "db": lambda da: da.sum(axis=0),
}
WRONG_FROM_A = {
    "the gradients of the weights are averaged over the batch, not added up": {
        "dW_x": lambda x, da: x.T @ da / len(da),
        "dW_h": lambda h_prev, da: h_prev.T @ da / len(da),
        "db": lambda da: da.mean(axis=0),
    },
    "db is averaged over the batch, not added up": {"db": lambda da: da.mean(axis=0)},
    "db is not added up over the batch": {"db": lambda da: da},
    "dW_h is made of h: W_h multiplies h_prev": {"dW_h": lambda h, da: h.T @ da},
    "dW_x and dW_h are transposed": {
        "dW_x": lambda x, da: da.T @ x,
        "dW_h": lambda h_prev, da: da.T @ h_prev,
    },
}


def split(stacked: np.ndarray, order: str) -> dict[str, np.ndarray]:
    """Take stacked gates apart: {"i": the first columns, "f": the next ones, ...}."""
    return dict(zip(order, np.split(stacked, len(order), axis=-1), strict=True))


def join(gates: dict[str, np.ndarray], order: str) -> np.ndarray:
    """Put gates side by side."""
    return np.hstack([gates[gate] for gate in order])


def other_orders(words: str, line: str, right: str) -> dict[str, dict]:
    """One misconception for every order of the gates but the right one; `line` says the order."""

    def always(order: str):
        return lambda: order

    return {
        f"{words} in the order {', '.join(order)}, not {', '.join(right)}": {
            line: always("".join(order))
        }
        for order in permutations(right)
        if order != tuple(right)
    }
