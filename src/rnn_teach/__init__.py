"""Recurrent neural networks to learn from: NumPy cells and backpropagation through time."""

from .bptt import Network, Readout, bptt
from .cells import GRU, LSTM, RNN

__all__ = ["GRU", "LSTM", "RNN", "Network", "Readout", "bptt"]
