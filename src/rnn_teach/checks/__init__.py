"""Marks a function that you wrote yourself, and names the misconception behind a wrong one.

>>> from rnn_teach import checks as check
>>> def my_step(x, h_prev, W_x, W_h, b):
...     return x @ W_x + h_prev @ W_h + b
>>> verdict = check.rnn_step(my_step)
>>> verdict
rnn_step is wrong. Most likely: the output tanh is missing.
h[0, 0] is -0.85370696, expected -0.69300111.
Called as rnn_step(x (3, 3), h_prev (3, 3), W_x (3, 3), W_h (3, 3), b (3,)).
>>> bool(verdict)
False

Arrays are as everywhere in the package: x @ W_x, rows are examples, time first, gates in the
order i, f, g, o and r, z, n. The docstring of each check says what to write.
"""

from .bounds import gradient_bound, half_life, largest_singular_value, spectral_radius
from .clipping import clip, clip_by_value
from .derivatives import central_difference, dsigmoid, dtanh, jacobian
from .gru import gru_step, gru_step_backward
from .language import cross_entropy, perplexity, softmax, temperature
from .layers import attention, layer_norm, parameter_count
from .lstm import lstm_step, lstm_step_backward
from .marking import Verdict
from .ragged import mask, masked_mean, reverse, truncate
from .rnn import rnn_step, rnn_step_backward
from .sequences import bptt, rnn_forward
from .series import inputs_and_targets, persistence, standardize, windows

__all__ = [
    "Verdict",
    "attention",
    "bptt",
    "central_difference",
    "clip",
    "clip_by_value",
    "cross_entropy",
    "dsigmoid",
    "dtanh",
    "gradient_bound",
    "gru_step",
    "gru_step_backward",
    "half_life",
    "inputs_and_targets",
    "jacobian",
    "largest_singular_value",
    "layer_norm",
    "lstm_step",
    "lstm_step_backward",
    "mask",
    "masked_mean",
    "parameter_count",
    "perplexity",
    "persistence",
    "reverse",
    "rnn_forward",
    "rnn_step",
    "rnn_step_backward",
    "softmax",
    "spectral_radius",
    "standardize",
    "temperature",
    "truncate",
    "windows",
]
