"""What stands around a cell: how many parameters it has, normalization, attention."""

from collections.abc import Callable

import numpy as np

from ..cells import GRU, LSTM, RNN
from ..functional import sigmoid, softmax
from .marking import Task, Verdict, mark

CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
BLOCKS = {"RNN": 1, "LSTM": 4, "GRU": 3}


def _parameter_count(D, H, cell):
    parameters = CELLS[cell](D, H, rng=np.random.default_rng(0)).parameters
    return sum(p.size for p in parameters.values())


PARAMETER_COUNT = Task(
    "parameter_count",
    results=("count",),
    right=_parameter_count,
    cases=lambda: [(3, 5, "RNN"), (3, 5, "LSTM"), (3, 5, "GRU"), (10, 7, "LSTM"), (1, 2, "GRU")],
    lines={
        "blocks": lambda cell: BLOCKS[cell],
        "W_x": lambda D, H: D * H,
        "W_h": lambda H: H * H,
        "b": lambda H: H,
        "b_hn": lambda H, cell: H if cell == "GRU" else 0,
        "count": lambda blocks, W_x, W_h, b, b_hn: blocks * (W_x + W_h + b) + b_hn,
    },
    wrong={
        "the biases are left out": {"b": lambda: 0, "b_hn": lambda: 0},
        "the biases are counted twice: PyTorch has two for each gate, here there is one": {
            "b": lambda H: 2 * H,
            "b_hn": lambda: 0,
        },
        "b_hn is left out: a GRU that resets after the product has H numbers more": {
            "b_hn": lambda: 0
        },
        "the gates are left out: an LSTM has 4 blocks, a GRU 3": {"blocks": lambda: 1},
        "the candidate is left out: an LSTM has 4 blocks, a GRU 3": {
            "blocks": lambda cell: max(1, BLOCKS[cell] - 1)
        },
        "W_h is D H: it leads from H units to H units, so it has H^2": {"W_h": lambda D, H: D * H},
        "W_h is left out: H^2 numbers lead from the state to the state": {"W_h": lambda: 0},
        "W_x is left out: D H numbers lead from the input to the state": {"W_x": lambda: 0},
        "W_h is counted once: every gate has its own": {
            "count": lambda blocks, W_x, W_h, b, b_hn: blocks * (W_x + b) + W_h + b_hn
        },
        "the bias is one number: it has one for each unit": {"b": lambda: 1},
        "the state is counted: it is computed, not learned": {
            "count": lambda blocks, W_x, W_h, b, b_hn, H: blocks * (W_x + W_h + b) + b_hn + H
        },
    },
)


def parameter_count(theirs: Callable) -> Verdict:
    """Mark D H + H^2 + H for an RNN, four times that for an LSTM, three times that and H for a GRU.

    Arguments: theirs(D, H, cell), where cell is "RNN", "LSTM" or "GRU" -> an integer. The GRU
    resets after the product, so it has b_hn, H numbers more.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> parameter_count(lambda D, H, cell: {"RNN": 1, "LSTM": 4, "GRU": 3}[cell] * H * (D + H + 1))
    parameter_count is wrong. Most likely: b_hn is left out: a GRU that resets after the product has H numbers more.
    count is 135, expected 140.
    Called as parameter_count(D=3, H=5, cell='GRU').
    """
    return mark(PARAMETER_COUNT, theirs)


def _layer_norm_cases() -> list[tuple]:
    rng = np.random.default_rng(13)
    return [
        (rng.normal(2, 3, size=(N, H)), rng.normal(size=H), rng.normal(size=H), 0.1)
        for N, H in ((3, 3), (2, 4))
    ]


LAYER_NORM = Task(
    "layer_norm",
    results=("y",),
    right=lambda a, gain, bias, eps: (
        gain * (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + eps) + bias
    ),
    cases=_layer_norm_cases,
    lines={
        "axis": lambda: -1,
        "mean": lambda a, axis: a.mean(axis, keepdims=True),
        "variance": lambda a, axis: a.var(axis, keepdims=True),
        "width": lambda variance, eps: np.sqrt(variance + eps),
        "normal": lambda a, mean, width: (a - mean) / width,
        "y": lambda normal, gain, bias: gain * normal + bias,
    },
    wrong={
        "the mean is taken over the batch: that is batch normalization": {"axis": lambda: 0},
        "the mean is taken over everything: each row has its own": {"axis": lambda: None},
        "the root is missing: divide by the standard deviation, not by the variance": {
            "width": lambda variance, eps: variance + eps
        },
        "eps stands outside the root: sqrt(variance + eps)": {
            "width": lambda variance, eps: np.sqrt(variance) + eps
        },
        "eps is left out: sqrt(variance + eps)": {"width": lambda variance: np.sqrt(variance)},
        "the variance has n - 1 in it: here it has n": {
            "variance": lambda a: a.var(-1, keepdims=True, ddof=1)
        },
        "the mean is not subtracted": {"mean": lambda: 0},
        "the gain is left out": {"gain": lambda: 1},
        "the bias is left out": {"bias": lambda: 0},
        "gain and bias have changed places": {"y": lambda normal, gain, bias: bias * normal + gain},
        "the bias is multiplied by the gain, too": {
            "y": lambda normal, gain, bias: gain * (normal + bias)
        },
    },
)


def layer_norm(theirs: Callable) -> Verdict:
    """Mark y = gain (a - mean) / sqrt(variance + eps) + bias, mean and variance of each row.

    eps is large here, so that you see where it stands.

    Arguments: theirs(a (N, H), gain (H,), bias (H,), eps) -> y (N, H).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Ba, Kiros & Hinton 2016.

    >>> def my_norm(a, gain, bias, eps):
    ...     return gain * (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + eps) + bias
    >>> layer_norm(my_norm)  # doctest: +ELLIPSIS
    layer_norm is wrong. Most likely: the mean is taken over the batch: that is batch normalization.
    ...
    """
    return mark(LAYER_NORM, theirs)


def _attention_cases() -> list[tuple]:
    rng = np.random.default_rng(14)
    return [
        (rng.normal(size=(N, H)), rng.normal(size=(S, N, H))) for S, N, H in ((3, 3, 3), (5, 2, 4))
    ]


def _attention(query, keys):
    weights = softmax((query * keys).sum(axis=-1).T).T
    return (weights[:, :, None] * keys).sum(axis=0), weights


ATTENTION = Task(
    "attention",
    results=("context", "weights"),
    right=_attention,
    cases=_attention_cases,
    lines={
        "scores": lambda query, keys: np.einsum("nh,snh->sn", query, keys),
        "w": lambda scores: softmax(scores.T).T,
        "context": lambda w, keys: np.einsum("sn,snh->nh", w, keys),
        "weights": lambda w: w,
    },
    wrong={
        "the weights add up to 1 over the batch: it is over the S places": {
            "w": lambda scores: softmax(scores)
        },
        "softmax is missing: the scores are no weights yet": {"w": lambda scores: scores},
        "the scores are divided by sqrt(H): here they are not": {
            "w": lambda scores, query: softmax(scores.T / np.sqrt(query.shape[-1])).T
        },
        "all places get the same weight: the query plays no part": {
            "w": lambda scores: np.full(scores.shape, 1 / len(scores))
        },
        "only the best place counts: softmax is soft": {
            "w": lambda scores: scores == scores.max(axis=0)
        },
        "this is the sigmoid of each score: the weights have to add up to 1": {
            "w": lambda scores: sigmoid(scores)
        },
        "the context is a mean: the weights already add up to 1": {
            "context": lambda w, keys: (w[:, :, None] * keys).mean(axis=0)
        },
        "the keys are not weighted": {"context": lambda keys: keys.sum(axis=0)},
        "the query is weighted: the context is made of the keys": {
            "context": lambda w, query: w.sum(axis=0)[:, None] * query
        },
        "context and weights are returned in the other order": {
            "context": lambda w: w,
            "weights": lambda w, keys: np.einsum("sn,snh->nh", w, keys),
        },
        "sequences stand first: the weights are (S, N)": {"weights": lambda w: w.T},
    },
)


def attention(theirs: Callable) -> Verdict:
    """Mark context = sum_s w_s keys[s] with w = softmax over s of query . keys[s].

    Arguments: theirs(query (N, H), keys (S, N, H)) -> context (N, H), weights (S, N).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Luong, Pham & Manning 2015, with the score "dot".

    >>> def my_attention(query, keys):
    ...     scores = (query * keys).sum(axis=-1)
    ...     weights = np.exp(scores) / np.exp(scores).sum(axis=0)
    ...     return (weights[:, :, None] * keys).sum(axis=0), weights
    >>> attention(my_attention)
    attention is right.
    """
    return mark(ATTENTION, theirs)
