"""From one sequence to another: an encoder, a decoder, and attention between the two."""

from .additive import Additive
from .decoding import Hypothesis, beam, greedy
from .dot_product import DotProduct
from .network import EncoderDecoder, teacher_forcing

__all__ = [
    "Additive",
    "DotProduct",
    "EncoderDecoder",
    "Hypothesis",
    "beam",
    "greedy",
    "teacher_forcing",
]
