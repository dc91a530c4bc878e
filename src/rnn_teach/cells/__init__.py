"""The three recurrent cells, one file each, in the same order: read two side by side."""

from .gru import GRU, GRUTrace
from .layer import Layer, Trace
from .lstm import LSTM, LSTMTrace
from .rnn import RNN, RNNTrace

__all__ = ["GRU", "LSTM", "RNN", "GRUTrace", "LSTMTrace", "Layer", "RNNTrace", "Trace"]
