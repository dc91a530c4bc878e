"""How a network learns: clipped gradients, early stopping, and the loop that puts it all together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .bptt import Network, bptt, predict
from .checkpoint import Checkpoint, fill, load, save
from .clipping import clip_by_norm, clip_by_value, clip_each_by_norm, global_norm
from .functional import cross_entropy
from .initializers import (
    glorot,
    identity,
    orthogonal,
    with_largest_singular_value,
    with_spectral_radius,
)
from .optimizers import (
    SGD,
    Adam,
    Arrays,
    Optimizer,
    RMSprop,
    cosine_decay,
    exponential_decay,
    linear_decay,
    positive,
    step_decay,
)
from .stopping import EarlyStopping
from .truncated import truncated_bptt, windows

__all__ = [
    "SGD",
    "Adam",
    "EarlyStopping",
    "History",
    "Optimizer",
    "RMSprop",
    "clip_by_norm",
    "clip_by_value",
    "clip_each_by_norm",
    "cosine_decay",
    "evaluate",
    "exponential_decay",
    "fit",
    "global_norm",
    "glorot",
    "identity",
    "linear_decay",
    "orthogonal",
    "step_decay",
    "truncated_bptt",
    "windows",
    "with_largest_singular_value",
    "with_spectral_radius",
]


def evaluate(
    network: Network, x: np.ndarray, target: np.ndarray, lengths: np.ndarray | None = None
) -> float:
    """Return the mean cross-entropy of all symbols in the batch, in nats per symbol; no gradient.

    Arguments: x (T, N, D), target (T, N), lengths (N,), as in ``bptt``. Unlike the loss of ``bptt``
    this counts every symbol alike, be its sequence long or short.

    >>> from rnn_teach import RNN, Readout
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> network.readout.W_y[:] = 0  # it thinks both symbols equally likely
    >>> round(evaluate(network, np.ones((5, 1, 3)), np.zeros((5, 1), int)), 4)  # ln 2
    0.6931
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
    clip: float | Callable[[Arrays], Arrays] | None = None,
    progress: bool | None = None,
    callback: Callable[[int, Network], None] | None = None,
    early_stopping: EarlyStopping | None = None,
    checkpoint: str | os.PathLike | None = None,
    save_every: int = 100,
    rng: np.random.Generator | None = None,
    bptt: Callable = bptt,
    **options: Any,
) -> History:
    """Train ``network`` in place for ``steps`` updates, one batch each.

    Arguments: batches, (x, target, lengths, carry) each, such as ``tasks.Batch``; with ``carry`` the
    pass starts from the state in which the batch before ended. All randomness is in the batches:
    the same ones give the same network, bit for bit. clip, the longest gradient let through
    (``clip_by_norm``), or a function from gradients to gradients; None for any. progress, a bar on
    stderr; None shows it where somebody watches. callback, called as callback(k, network) before the
    first update, k = 0, and after each one. early_stopping, see there. bptt, what gives loss and
    gradients: this or ``truncated_bptt``, ``seq2seq.teacher_forcing``. options, handed on to it, such
    as loss, at, over_time.
    checkpoint, a file to be written every ``save_every`` updates and at the end. If it is there
    already the run goes on from it: start the same program again, with the same batches from the
    first one on (those already read are skipped), and the result is that of a run that was never
    stopped, bit for bit. rng, a generator whose state is to be kept there too, such as that of a
    callback that draws numbers.
    Returns a ``History``.
    Raises FloatingPointError, naming the step, for a loss or gradient that is not finite;
    ValueError for batches that end early, or for a checkpoint of another run.

    >>> from rnn_teach import RNN, Readout
    >>> from rnn_teach.tasks import DelayedRecall, batches
    >>> rng, task = np.random.default_rng(0), DelayedRecall(T=3)
    >>> network = Network(RNN(task.D, 8, rng=rng), Readout(8, task.K, rng=rng))
    >>> many = batches(task, 20, rng=rng)
    >>> history = fit(network, many, steps=50, optimizer=Adam(1e-2), **task.options)
    >>> bool(history.loss[-1] < history.loss[0])
    True
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    positive("save_every", save_every)
    if clip is not None and not callable(clip):
        clip = _to_norm(positive("clip", clip))
    losses, norms = np.empty(steps), np.empty(steps)
    batches, state, done, ended = iter(batches), None, 0, False
    saved = load(checkpoint) if checkpoint is not None and Path(checkpoint).exists() else None
    if saved is not None:
        state, done = saved.state, sum(1 for _ in islice(batches, saved.step))
        _resume(saved, steps, network, optimizer, early_stopping, rng)
        losses[: saved.step], norms[: saved.step] = saved.loss, saved.grad_norm
    with _bar(steps, done, progress) as bar:
        if callback:
            callback(done, network)
        if saved is not None:  # what the callback does after update `done` it has done before
            _resume(saved, steps, network, optimizer, early_stopping, rng)
        elif early_stopping:
            early_stopping.ends(0, network)
        ended = early_stopping is not None and early_stopping.ended
        left = 0 if ended else steps - done
        for step, (x, target, lengths, carry) in enumerate(islice(batches, left), done):
            with _finite_at(step):
                result = bptt(
                    network, x, target, state=state if carry else None, lengths=lengths, **options
                )
                grads = {name: result.grads[name] for name in network.parameters}
                losses[step], norms[step] = result.loss, global_norm(grads)
            if clip is not None:
                grads = clip(grads)
            optimizer.update(network.parameters, grads)
            state, done = result.trace.final, step + 1
            if callback:
                callback(done, network)
            ended = early_stopping is not None and early_stopping.ends(done, network)
            if checkpoint is not None and (done % save_every == 0 or done == steps or ended):
                history = losses[:done], norms[:done]
                save(checkpoint, _now(network, optimizer, early_stopping, rng, state, *history))
            bar.update()
            if ended:
                break
    if done < steps and not ended:
        raise ValueError(f"batches: expected {steps}, one a step, got {done}")
    if early_stopping:
        early_stopping.restore_best(network)
    return History(losses[:done], norms[:done])


def _to_norm(max_norm: float) -> Callable[[Arrays], Arrays]:
    return lambda grads: clip_by_norm(grads, max_norm)[0]


def _now(
    network: Network,
    optimizer: Optimizer,
    early_stopping: EarlyStopping | None,
    rng: np.random.Generator | None,
    state: Any,
    loss: np.ndarray,
    grad_norm: np.ndarray,
) -> Checkpoint:
    """All that the next update depends on, as it is now."""
    stopping = early_stopping.state() if early_stopping else {}
    drawn = None if rng is None else rng.bit_generator.state
    parameters = network.parameters
    return Checkpoint(
        len(loss), parameters, optimizer.state(), stopping, state, drawn, loss, grad_norm
    )


def _resume(
    saved: Checkpoint,
    steps: int,
    network: Network,
    optimizer: Optimizer,
    early_stopping: EarlyStopping | None,
    rng: np.random.Generator | None,
) -> None:
    """Put everything as it was when ``saved`` was written, or raise ValueError: it was another run."""
    if saved.step > steps:
        raise ValueError(f"steps: expected at least the checkpoint's {saved.step}, got {steps}")
    for name, had, has in (
        ("early_stopping", bool(saved.stopping), early_stopping is not None),
        ("rng", saved.rng is not None, rng is not None),
    ):
        if had != has:
            words = {True: "one", False: "none"}
            raise ValueError(
                f"{name}: expected {words[had]}, as in the checkpoint, got {words[has]}"
            )
    fill("parameters", network.parameters, saved.parameters)
    optimizer.restore(saved.optimizer)
    if early_stopping:
        early_stopping.restore(saved.stopping)
    if rng is not None:
        rng.bit_generator.state = saved.rng


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


def _bar(steps: int, done: int, progress: bool | None) -> Any:
    from tqdm.auto import tqdm  # here, so that importing the package stays light

    shown = _watched() if progress is None else progress
    return tqdm(total=steps, initial=done, disable=not shown, unit="step", leave=False)


def _watched() -> bool:
    """Return whether a person can see stderr: at a terminal, or in a notebook that could answer input().

    A page being built or a notebook under test answers no input, and its output is kept: no bar there.
    """
    if "IPython" in sys.modules:
        kernel = getattr(sys.modules["IPython"].get_ipython(), "kernel", None)
        if kernel is not None:
            return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stderr.isatty()
