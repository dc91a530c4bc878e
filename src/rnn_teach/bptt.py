"""Backpropagation through time: a cell, a readout and a loss over a whole sequence.

The five shapes of input and output, one line each; "one" is (N, ...), "many" is (T, N, ...):

    one to one                 bptt(network, x[None], target[None])
    one to many                bptt(network, one_to_many(x, T), target)
    many to one                bptt(network, x, target, at="last")
    many to many, aligned      bptt(network, x, target)
    many to many, unaligned    `seq2seq.EncoderDecoder`, where the outputs follow the inputs
"""

from typing import NamedTuple

import numpy as np

from .cells import Layer, Trace, checking
from .functional import cross_entropy, squared_error

LOSSES = {"cross_entropy": cross_entropy, "squared_error": squared_error}


class Readout:
    """y = h W_y + b_y: K outputs from the H hidden units, the same at every step.

    Parameters: W_y (H, K), uniform in +-1/sqrt(H); b_y (K,), zero.
    Arguments: H, K; rng, where the weights come from.
    Raises TypeError or ValueError naming the argument.
    Source: Goodfellow, Bengio & Courville 2016, section 10.2.

    >>> readout = Readout(4, 2, rng=np.random.default_rng(0))
    >>> readout.forward(np.zeros((5, 3, 4))).shape
    (5, 3, 2)
    """

    def __init__(self, H: int, K: int, *, rng: np.random.Generator):
        self.H, self.K = checking.size("H", H), checking.size("K", K)
        k = 1 / np.sqrt(H)
        self.W_y = checking.generator(rng).uniform(-k, k, (H, K))
        self.b_y = np.zeros(K)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name."""
        return {"W_y": self.W_y, "b_y": self.b_y}

    def forward(self, h: np.ndarray) -> np.ndarray:
        """y = h W_y + b_y for h (..., H); returns y (..., K), float32 if h is.

        Raises ValueError if the last axis of h is not H long.

        >>> readout = Readout(2, 1, rng=np.random.default_rng(0))
        >>> readout.W_y[:], readout.b_y[:] = [[1], [10]], 0.5
        >>> readout.forward(np.array([[1.0, 2.0]]))
        array([[21.5]])
        """
        if h.shape[-1] != self.H:
            raise ValueError(f"h: expected shape (..., H={self.H}), got {h.shape}")
        dtype = checking.working_dtype(h, self.parameters.values())
        W_y, b_y = (p.astype(dtype, copy=False) for p in (self.W_y, self.b_y))
        return (h.reshape(-1, self.H) @ W_y + b_y).reshape(*h.shape[:-1], self.K)

    def backward(self, h: np.ndarray, dy: np.ndarray) -> dict[str, np.ndarray]:
        """dL/dh = dy W_y^T, and dL/dW_y = h^T dy added up over all steps and sequences.

        Arguments: h (..., H), dy (..., K), how L depends on y.
        Returns dL by name: "W_y", "b_y" and "h" (..., H).
        Source: Goodfellow, Bengio & Courville 2016, section 6.5.

        >>> readout = Readout(2, 1, rng=np.random.default_rng(0))
        >>> readout.W_y[:] = [[1], [10]]
        >>> readout.backward(np.array([[1.0, 2.0]]), np.array([[3.0]]))["h"]
        array([[ 3., 30.]])
        """
        h_rows, dy_rows = h.reshape(-1, self.H), dy.reshape(-1, self.K)
        W_y = self.W_y.astype(dy.dtype, copy=False)
        return {
            "W_y": h_rows.T @ dy_rows,
            "b_y": dy_rows.sum(axis=0),
            "h": (dy_rows @ W_y.T).reshape(h.shape),
        }


class Network:
    """A cell and a readout: x -> h -> y.

    Arguments: cell, an RNN, LSTM or GRU; readout, a `Readout` of as many hidden units.
    Raises ValueError if the two do not fit.

    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> list(network.parameters)
    ['cell.W_x', 'cell.W_h', 'cell.b', 'readout.W_y', 'readout.b_y']
    """

    def __init__(self, cell: Layer, readout: Readout):
        if cell.H != readout.H:
            raise ValueError(f"readout: expected H={cell.H}, as the cell has, got H={readout.H}")
        self.cell, self.readout = cell, readout

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: "cell.W_x", ..., "readout.b_y"."""
        cell = {f"cell.{name}": p for name, p in self.cell.parameters.items()}
        readout = {f"readout.{name}": p for name, p in self.readout.parameters.items()}
        return cell | readout


class BPTT(NamedTuple):
    """What one pass forward and back gives."""

    loss: np.generic  # a scalar
    y: np.ndarray  # (T, N, K), or (N, K) with at="last"
    trace: Trace  # the cell's trace
    grads: dict[str, np.ndarray]  # named as Network.parameters, and "x", "h0", "h" ("c0", "c", ...)


def predict(
    network: Network, x: np.ndarray, state: object = None, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, Trace]:
    """y_t = h_t W_y + b_y for t = 1..T, no loss and no gradient.

    Arguments: x (T, N, D); state and lengths as in the cell's `forward`.
    Returns y (T, N, K), logits if you trained with cross-entropy, and the cell's trace, whose
    `trace.final` is the state to go on from.
    Raises TypeError or ValueError naming the argument.

    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> y, trace = predict(network, np.ones((5, 1, 3)))
    >>> y.shape
    (5, 1, 2)
    """
    trace = network.cell.forward(x, state, lengths)
    return network.readout.forward(trace.h), trace


def one_to_many(x: np.ndarray, T: int) -> np.ndarray:
    """x_1 = x and x_t = 0 for t = 2..T: one input, and T steps to unfold it.

    Arguments: x (N, D); T, how many steps.
    Returns (T, N, D). Of the gradient "x" of `bptt`, step 0 is that of your x.
    Raises TypeError or ValueError naming the argument.

    >>> one_to_many([[5.0]], 3).ravel()
    array([5., 0., 0.])
    """
    x = checking.numbers("x", x, N=None, D=None)
    sequence = np.zeros((checking.size("T", T), *x.shape), x.dtype)
    sequence[0] = x
    return sequence


def bptt(
    network: Network,
    x: np.ndarray,
    target: np.ndarray,
    *,
    loss: str = "cross_entropy",
    at: str = "every",
    over_time: str = "mean",
    state: object = None,
    lengths: np.ndarray | None = None,
) -> BPTT:
    """Full backpropagation through time: forward over all T steps, then back over all of them.

        L = 1/N sum_n sum_t L_tn / T_n    over_time="mean", T_n is the sequence's own length
        L = 1/N sum_n sum_t L_tn          over_time="sum"
        L = 1/N sum_n L_n                 at="last": only each sequence's last state is asked

    Arguments: x (T, N, D); target (T, N) integers for "cross_entropy", (T, N, K) numbers for
    "squared_error", without T for at="last"; state as in the cell's `forward`; lengths (N,),
    integers in 1..T. What a target says after the end of its sequence does not count, but it must
    be valid: put 0 there.
    Returns `BPTT`: loss (nats per step, or squared units), y, trace and grads.
    Raises TypeError or ValueError naming the argument, FloatingPointError for a loss that is not
    finite: training has diverged.
    Source: Werbos 1990; Goodfellow, Bengio & Courville 2016, section 10.2.2.

    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> x, target = np.ones((5, 1, 3)), np.zeros((5, 1), int)
    >>> result = bptt(network, x, target)
    >>> network.cell.W_h -= 0.1 * result.grads["cell.W_h"]  # one step downhill
    >>> bool(bptt(network, x, target).loss < result.loss)
    True
    """
    measure = LOSSES[checking.choice("loss", loss, LOSSES)]
    checking.choice("at", at, ("every", "last"))
    checking.choice("over_time", over_time, ("mean", "sum"))
    if at == "last" and not getattr(network.cell, "last_has_read_all", True):
        raise ValueError(
            'at: "last" would ask a layer that has read only one step backward; '
            "expected Bidirectional(..., align=False)"
        )
    trace = network.cell.forward(x, state, lengths)
    T, N, H = trace.h.shape

    h = trace.h if at == "every" else trace.h[-1]
    y = network.readout.forward(h)
    target = check_target(target, y, loss)
    value, dy = measure(y, target, step_weights(trace, at, over_time))
    if not np.isfinite(value):
        raise FloatingPointError(f"loss: expected a finite number, got {value}")
    readout = network.readout.backward(h, dy)

    if at == "every":
        dh = readout["h"]
    else:
        dh = np.zeros((T, N, H), dy.dtype)
        dh[-1] = readout["h"]
    cell = network.cell.backward(trace, dh)

    grads = {f"cell.{name}": cell.pop(name) for name in network.cell.parameters}
    grads |= {f"readout.{name}": readout[name] for name in network.readout.parameters}
    return BPTT(value, y, trace, grads | cell)


def check_target(target: object, y: np.ndarray, loss: str) -> np.ndarray:
    """`target` if it belongs to the outputs y (..., K); the losses check what is in it.

    Raises TypeError or ValueError naming the target.

    >>> check_target([1, 0], np.zeros((2, 3)), "cross_entropy")
    array([1, 0])
    """
    if loss == "cross_entropy":
        target = np.asarray(target)
        if target.shape != y.shape[:-1]:
            raise ValueError(f"target: expected shape {y.shape[:-1]}, got {target.shape}")
        return target
    axes = ("T", "N", "K") if y.ndim == 3 else ("N", "K")
    return checking.numbers("target", target, **dict(zip(axes, y.shape, strict=True)))


def step_weights(trace: Trace, at: str, over_time: str) -> np.ndarray:
    """How much each step counts: (T, N), or (N,) with at="last".

    >>> from rnn_teach.cells import RNN
    >>> trace = RNN(1, 1, rng=np.random.default_rng(0)).forward(np.ones((2, 2, 1)), lengths=[2, 1])
    >>> step_weights(trace, "every", "mean")  # two sequences, two steps and one
    array([[0.25, 0.5 ],
           [0.25, 0.  ]])
    """
    T, N, _ = trace.h.shape
    if at == "last":
        return np.full(N, 1 / N)
    runs = np.ones((T, N)) if trace.mask is None else trace.mask.astype(float)
    return runs / N if over_time == "sum" else runs / (N * runs.sum(axis=0))
