"""What both kinds of attention share: weights made of scores.

At every step the decoder looks back at all states of the encoder. What it looks at is the *memory*:
S source steps of M units. Each source step gets a score e, and the weighted mean of the memory is
the context:

    w_ts = exp(e_ts) / sum_r exp(e_tr)        context_t = sum_s w_ts memory_s

The two kinds differ in the score, and in when they ask: `Additive` before a step, `DotProduct` after.
"""

import numpy as np

from ..cells import checking
from ..cells.layer import Layer
from ..functional import softmax

State = np.ndarray | tuple[np.ndarray, np.ndarray]


def align(scores: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """w = softmax of the scores over the source steps, where padding has weight 0.

    Arguments: scores (..., N, S); mask (S, N), True where the source has a step.
    Returns weights of the same shape.

    >>> align(np.zeros((1, 3)), np.array([[True], [True], [False]]))
    array([[0.5, 0.5, 0. ]])
    """
    return softmax(scores if mask is None else np.where(mask.T, scores, -np.inf))


def dscores(weights: np.ndarray, dweights: np.ndarray) -> np.ndarray:
    """de_s = w_s (dw_s - sum_r w_r dw_r), the gradient of the scores (..., S).

    The weights always sum to 1, so to raise all scores alike changes nothing: de sums to 0.

    >>> dscores(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([ 0.25, -0.25])
    """
    return weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))


def forward_arguments(
    layer, cell: Layer, x: object, state: tuple, memory: object, mask: object
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """x, memory and the parameters of `layer`, all checked and of one dtype."""
    x = checking.numbers("x", x, T=None, N=None, K=None)
    memory = checking.numbers("memory", memory, S=None, N=x.shape[1], M=layer.M)
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != memory.shape[:2] or not mask.any(axis=0).all():
            raise ValueError(
                f"mask: expected booleans of shape {memory.shape[:2]}, one True in each column, "
                f"got dtype {mask.dtype} and shape {mask.shape}"
            )
    parameters = checking.shaped_parameters(layer).values()
    others = (x, *state, *parameters, *cell.parameters.values())
    dtype = checking.working_dtype(memory, others)
    return (
        x.astype(dtype, copy=False),
        memory.astype(dtype, copy=False),
        [p.astype(dtype, copy=False) for p in parameters],
    )
