"""How a network learns: initial weights, clipped gradients, SGD and Adam, and the loop that puts them together."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np

from .bptt import Network, bptt, predict
from .functional import cross_entropy

Arrays = dict[str, np.ndarray]


def clip_by_norm(grads: Arrays, max_norm: float) -> tuple[Arrays, float]:
    """Shorten the whole gradient to ``max_norm`` if it is longer: g <- g min(1, max_norm / |g|).

    |g| is the length of all arrays taken as one vector, so the direction stays. Returns new arrays
    and |g| as it was before. Source: Pascanu, Mikolov and Bengio (2013), algorithm 1.

    >>> clip_by_norm({"a": np.array([3.0]), "b": np.array([4.0])}, max_norm=1.0)
    ({'a': array([0.6]), 'b': array([0.8])}, 5.0)
    """
    _positive("max_norm", max_norm)
    norm = global_norm(grads)
    scale = max_norm / norm if norm > max_norm else 1.0
    return {name: scale * grad for name, grad in grads.items()}, norm


def clip_by_value(grads: Arrays, limit: float) -> Arrays:
    """Cut each element of the gradient to [-limit, limit]: new arrays. This may turn its direction.

    >>> clip_by_value({"a": np.array([3.0, -0.5])}, limit=1.0)
    {'a': array([ 1. , -0.5])}
    """
    _positive("limit", limit)
    return {name: np.clip(grad, -limit, limit) for name, grad in grads.items()}


def global_norm(grads: Arrays) -> float:
    """Return |g|, the Euclidean length of all arrays in ``grads`` taken as one vector.

    Raises FloatingPointError if it is not finite: nothing could be learned from such a gradient.
    """
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads.values()))
    if not math.isfinite(norm):
        raise FloatingPointError(f"gradient norm: expected a finite number, got {norm}")
    return norm


def glorot(n_in: int, n_out: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return W (n_in, n_out), uniform in ±sqrt(6 / (n_in + n_out)): Glorot and Bengio (2010), eq. 16.

    >>> W = glorot(30, 20, rng=np.random.default_rng(0))
    >>> W.shape, bool(abs(W).max() <= np.sqrt(6 / 50))
    ((30, 20), True)
    """
    limit = math.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))


def orthogonal(n_in: int, n_out: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return W (n_in, n_out), random, with all singular values 1: Saxe, McClelland and Ganguli (2014).

    >>> W = orthogonal(3, 3, rng=np.random.default_rng(0))
    >>> bool(np.allclose(W @ W.T, np.eye(3)))
    True
    """
    Q, R = np.linalg.qr(rng.standard_normal((max(n_in, n_out), min(n_in, n_out))))
    Q *= np.sign(np.diag(R))  # without this QR favors some rotations over others
    return Q if n_in >= n_out else np.ascontiguousarray(Q.T)


def identity(H: int, scale: float = 1.0) -> np.ndarray:
    """Return scale times the identity (H, H): the start of Le, Jaitly and Hinton (2015)."""
    return scale * np.eye(H)


def with_spectral_radius(W: np.ndarray, radius: float) -> np.ndarray:
    """Return W (H, H) rescaled so that its largest eigenvalue has absolute value ``radius``.

    >>> with_spectral_radius(np.diag([4.0, 2.0]), 1.0)
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    return _rescaled(W, radius, np.abs(np.linalg.eigvals(W)).max())


def with_largest_singular_value(W: np.ndarray, value: float) -> np.ndarray:
    """Return W (n_in, n_out) rescaled so that its largest singular value is ``value``."""
    return _rescaled(W, value, np.linalg.norm(W, 2))


def _rescaled(W: np.ndarray, wanted: float, found: float) -> np.ndarray:
    if found == 0:
        raise ValueError(f"W: expected something to bring to {wanted}, got only zeros")
    return W * (wanted / found)


class Optimizer(Protocol):
    """Whatever changes parameters in place, given their gradients under the same names."""

    def update(self, parameters: Arrays, grads: Arrays) -> None: ...


class SGD:
    """Gradient descent, with momentum if asked: v <- momentum v + g, p <- p - learning_rate v.

    >>> p = {"w": np.array([1.0])}
    >>> SGD(learning_rate=0.1).update(p, {"w": np.array([2.0])})
    >>> p
    {'w': array([0.8])}
    """

    def __init__(self, learning_rate: float, momentum: float = 0.0) -> None:
        self.learning_rate = _positive("learning_rate", learning_rate)
        self.momentum = momentum
        self._v: Arrays = {}

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        for name, p in parameters.items():
            v = self._v.setdefault(name, np.zeros_like(p))
            v *= self.momentum
            v += grads[name]
            p -= self.learning_rate * v


class Adam:
    """Steps of a size that does not depend on the gradient's: Kingma and Ba (2015), algorithm 1.

    m <- beta1 m + (1 - beta1) g        s <- beta2 s + (1 - beta2) g²
    p <- p - learning_rate (m / (1 - beta1^k)) / (sqrt(s / (1 - beta2^k)) + eps)   in update k

    >>> p = {"w": np.array([1.0])}
    >>> Adam(learning_rate=0.1).update(p, {"w": np.array([2.0])})
    >>> p
    {'w': array([0.9])}
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
    ) -> None:
        self.learning_rate = _positive("learning_rate", learning_rate)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self._k = 0
        self._m: Arrays = {}
        self._s: Arrays = {}

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        self._k += 1
        m_unbiased, s_unbiased = 1 - self.beta1**self._k, 1 - self.beta2**self._k
        for name, p in parameters.items():
            g = grads[name]
            m = self._m.setdefault(name, np.zeros_like(p))
            s = self._s.setdefault(name, np.zeros_like(p))
            m += (1 - self.beta1) * (g - m)
            s += (1 - self.beta2) * (g * g - s)
            p -= self.learning_rate * (m / m_unbiased) / (np.sqrt(s / s_unbiased) + self.eps)


def evaluate(network: Network, x: np.ndarray, target: np.ndarray, lengths=None) -> float:
    """Return the mean cross-entropy of all symbols in the batch, in nats per symbol; no gradient.

    Arguments: x (T, N, D), target (T, N), lengths (N,), as in ``bptt``. Unlike the loss of ``bptt``
    this counts every symbol alike, be its sequence long or short.
    """
    y, trace = predict(network, x, lengths=lengths)
    runs = np.ones(y.shape[:2]) if trace.mask is None else trace.mask.astype(float)
    return float(cross_entropy(y, target, runs / runs.sum())[0])


class History(NamedTuple):
    """What ``fit`` wrote down; entry k was measured with the parameters after k updates."""

    loss: np.ndarray  # (steps,) the loss on batch k
    grad_norm: np.ndarray  # (steps,) |g| before clipping


def fit(
    network: Network,
    batches: Iterable[tuple],
    *,
    steps: int,
    optimizer: Optimizer,
    clip: float | None = None,
    progress: bool | None = None,
    callback: Callable[[int, Network], None] | None = None,
    **options: Any,
) -> History:
    """Train ``network`` in place for ``steps`` updates, one batch each.

    Arguments: batches, (x, target, lengths, carry) each, such as ``tasks.Batch``; with ``carry`` the
    pass starts from the state in which the batch before ended. All randomness is in the batches:
    the same ones give the same network, bit for bit. clip, the longest gradient let through
    (``clip_by_norm``), None for any. progress, a bar on stderr; None shows it where somebody
    watches. callback, called as callback(k, network) before the first update, k = 0, and after
    each one. options, handed on to ``bptt``, such as loss, at, over_time.
    Returns a ``History``.
    Raises FloatingPointError, naming the step, for a loss or gradient that is not finite;
    ValueError for batches that end early.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    losses, norms = np.empty(steps), np.empty(steps)
    state, done = None, 0
    with _bar(steps, progress) as bar:
        if callback:
            callback(0, network)
        for step, (x, target, lengths, carry) in enumerate(islice(batches, steps)):
            with _finite_at(step):
                result = bptt(
                    network, x, target, state=state if carry else None, lengths=lengths, **options
                )
                grads = {name: result.grads[name] for name in network.parameters}
                losses[step], norms[step] = result.loss, global_norm(grads)
            if clip is not None:
                grads, _ = clip_by_norm(grads, clip)
            optimizer.update(network.parameters, grads)
            state, done = result.trace.final, step + 1
            if callback:
                callback(done, network)
            bar.update()
    if done < steps:
        raise ValueError(f"batches: expected {steps}, one a step, got {done}")
    return History(losses, norms)


@contextmanager
def _finite_at(step: int) -> Iterator[None]:
    """Let what overflows inside be an error that names the step, not a warning."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except FloatingPointError as error:
        raise FloatingPointError(
            f"step {step}: {error}; try a smaller learning rate or clip"
        ) from error


def _bar(steps: int, progress: bool | None) -> Any:
    from tqdm.auto import tqdm  # here, so that importing the package stays light

    shown = _watched() if progress is None else progress
    return tqdm(total=steps, disable=not shown, unit="step", leave=False)


def _watched() -> bool:
    """Return whether a person can see stderr: at a terminal, or in a notebook that could answer input().

    A page being built or a notebook under test answers no input, and its output is kept: no bar there.
    """
    if "IPython" in sys.modules:
        kernel = getattr(sys.modules["IPython"].get_ipython(), "kernel", None)
        if kernel is not None:
            return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stderr.isatty()


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0, got {value!r}")
    return value
