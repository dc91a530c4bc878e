"""The same weights for PyTorch, Keras and ONNX, both ways, without importing any of them.

What they agree on with us: z keeps, h_t = (1 - z) n + z h_{t-1}; sigmoid and tanh; c_t = f c + i g.
What they differ in, with D inputs, H units and G matrices side by side (RNN 1, GRU 3, LSTM 4):

                     ours            PyTorch         Keras               ONNX
    input matrix     W_x (D, G H)    (G H, D)        (D, G H)            (directions, G H, D)
    hidden matrix    W_h (H, G H)    (G H, H)        (H, G H)            (directions, G H, H)
    LSTM gates       i f g o         i f g o         i f c o (c is g)    i o f c (c is g)
    GRU gates        r z n           r z n           z r h (h is n)      z r h (h is n)
    z                keeps h_{t-1}   keeps           keeps               keeps
    GRU reset        after (before)  after           after (before)      before (after)
    its option       reset=          none            reset_after=        linear_before_reset=
    biases a gate    1               2               1                   2
    GRU, after       1, n has 2      2               2, rows of (2, 3H)  2
    peepholes        p_i p_f p_o     none            none                P: i o f
    coupled f        coupled=        none            none                input_forget=
    time and batch   (T, N, D)       (T, N, D)       (N, T, D)           (T, N, D)

A second bias is only added to the first: on the way out it is zero, on the way in the two are
summed. In the candidate of a GRU that resets after the product it stands inside the reset and is
our b_hn. So what leaves here comes back to the bit.
"""

from .keras import from_keras, to_keras
from .onnx import from_onnx, to_onnx
from .onnx_file import write_onnx
from .torch import from_torch, to_torch

__all__ = [
    "from_keras",
    "from_onnx",
    "from_torch",
    "to_keras",
    "to_onnx",
    "to_torch",
    "write_onnx",
]
