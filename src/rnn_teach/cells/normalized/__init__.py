"""The three cells with layer or batch normalization inside, in the same order as the plain ones."""

from .gru import NormalizedGRU, NormalizedGRUTrace
from .lstm import NormalizedLSTM, NormalizedLSTMTrace
from .rnn import NormalizedRNN, NormalizedRNNTrace
from .standardize import running_statistics

__all__ = [
    "NormalizedGRU",
    "NormalizedGRUTrace",
    "NormalizedLSTM",
    "NormalizedLSTMTrace",
    "NormalizedRNN",
    "NormalizedRNNTrace",
    "running_statistics",
]
