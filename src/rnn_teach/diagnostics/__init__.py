"""What a trace and its gradients tell: arrays in, arrays out, nothing is changed.

The *state* is what one step hands to the next: h, and for an LSTM h and c side by side. S is its
size: H, or 2H for an LSTM.
"""

from .gates import GateShares, gate_shares, saturation
from .gradients import (
    connectivity,
    half_life,
    norms_by_depth,
    norms_by_layer,
    state_gradient_norms,
)
from .jacobians import (
    jacobian_norms,
    largest_singular_value,
    spectral_radius,
    step_jacobians,
)
from .spectrum import log_singular_values, lyapunov_spectrum

__all__ = [
    "GateShares",
    "connectivity",
    "gate_shares",
    "half_life",
    "jacobian_norms",
    "largest_singular_value",
    "log_singular_values",
    "lyapunov_spectrum",
    "norms_by_depth",
    "norms_by_layer",
    "saturation",
    "spectral_radius",
    "state_gradient_norms",
    "step_jacobians",
]
