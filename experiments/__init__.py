"""The long runs behind the results page: one command each, whose result files the chapters read."""

import os

ALL = (  # in the order of the results page
    "adding",
    "temporal_order",
    "copy_memory",
    "clipping",
    "identity",
    "spectral_radius",
    "forget_gate",
    "peepholes",
    "numerals",
    "sunspots",
)

# The jobs of a run share the cores, and sums in another order round differently. NumPy reads this
# when it is imported, and this file is read before that.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
