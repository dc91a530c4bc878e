"""By how much a step multiplies a gradient, against the spectral radius and the largest singular value of W_h."""

import numpy as np

from experiments.jobs import Experiment, main
from rnn_teach.cells import RNN
from rnn_teach.diagnostics import jacobian_norms, largest_singular_value
from rnn_teach.training import orthogonal, with_spectral_radius

D, H, T = 8, 32, 100
RADII = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
INPUTS = {"none": 0.0, "weak": 0.1, "strong": 1.0}  # standard deviation of x_t W_x


def recurrent(matrix: str, radius: float, *, rng: np.random.Generator) -> np.ndarray:
    """A random W_h (H, H) of this spectral radius; an orthogonal one stretches all vectors alike."""
    W = orthogonal(H, H, rng=rng) if matrix == "orthogonal" else rng.standard_normal((H, H))
    return with_spectral_radius(W, radius)


def run(matrix: str, radius: float, inputs: str, seed: int) -> dict:
    """Measure ||dh_T / dh_1||^(1 / (T-1)) of one tanh network that reads one random sequence."""
    rng = np.random.default_rng([seed, list(INPUTS).index(inputs)])
    cell = RNN(D, H, rng=rng)
    cell.W_h[:] = recurrent(matrix, radius, rng=np.random.default_rng(seed))
    cell.W_x[:] = INPUTS[inputs] / np.sqrt(D) * rng.standard_normal((D, H))
    trace = cell.forward(rng.standard_normal((T, 1, D)))
    return {
        "row": {
            "singular": largest_singular_value(cell.W_h),  # the bound: no slope of tanh is above 1
            "growth": jacobian_norms(cell, trace)[0] ** (1 / (T - 1)),
            "slope": np.mean(1 - trace.h**2),  # of tanh, over all units and steps
        }
    }


EXPERIMENT = Experiment(
    name="spectral_radius",
    run=run,
    settings=[
        {"matrix": matrix, "radius": radius, "inputs": inputs, "seed": seed}
        for matrix in ("Gaussian", "orthogonal")
        for inputs in INPUTS
        for radius in RADII
        for seed in range(5)
    ],
    quick=lambda settings: settings["seed"] == 0 and settings["radius"] in (0.5, 1.5),
    shown=lambda settings: settings["radius"] in (0.5, 0.9, 1.1, 1.5),
    title="Vanishing and exploding against the spectral radius",
    paper="{cite:t}`pascanu2013`",
    says=(
        "In a tanh network gradients must vanish if the largest singular value of $W_h$ is below 1; "
        "to explode they need one above 1."
    ),
    ours=(
        f"One tanh layer of {H} units reads {T} random inputs of {D} numbers. $W_h$ is Gaussian or "
        "orthogonal and scaled to a spectral radius; the part of the inputs in each unit's sum has "
        "standard deviation 0, 0.1 or 1. Measured is the largest singular value of "
        "$\\partial h_T/\\partial h_1$, as a factor per step."
    ),
    why=(
        "The bound holds in every row, and the rows say how much room it leaves. Without inputs the "
        "network is linear, and the factor lies between the spectral radius and the largest singular "
        "value: close to the radius after so many steps. With inputs the slopes of tanh fall below 1, "
        "and then gradients vanish even where both numbers are well above 1. The paper's condition "
        "for exploding is a necessary one, and far from sufficient."
    ),
    columns={
        "singular": "largest singular value",
        "growth": "measured factor a step",
        "slope": "mean slope of tanh",
    },
    chapter="notebooks/06_vanishing",
)

if __name__ == "__main__":
    main(EXPERIMENT)
