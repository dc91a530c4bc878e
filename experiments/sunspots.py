"""The sunspots twelve years ahead: networks fitted anew every eleven years, on nothing but the past."""

from functools import partial

import numpy as np

from experiments.jobs import Experiment, main
from rnn_teach.figures import forecast
from rnn_teach.tasks import sunspots


def run(cell: str, last: int, seed: int) -> dict:
    """Train one network on the years up to ``last``, and let it speak at the end of eleven years."""
    _, numbers = sunspots()
    network = forecast.trained(numbers, last, cell, seed)
    says = partial(forecast.read, network)
    learned = forecast.training_error(lambda series, _, years: says(series, years), numbers, last)
    years = np.arange(last, last + forecast.REFIT)
    said = says(numbers, years)
    missed = forecast.truth(numbers, years) - said
    row = {f"training_{h}": error for h, error in zip(forecast.HORIZONS, learned, strict=True)}
    row |= {f"miss_{h}": np.sqrt(np.nanmean(missed[:, h - 1] ** 2)) for h in (1, 11)}
    curve = [
        {"year": year, **{f"ahead_{h}": round(value, 1) for h, value in enumerate(ahead, 1)}}
        for year, ahead in zip(years, said.tolist(), strict=True)
    ]
    return {"row": row, "curve": curve}


EXPERIMENT = Experiment(
    name="sunspots",
    run=run,
    settings=[
        {"cell": cell, "last": last, "seed": seed}
        for cell in forecast.CELLS
        for seed in forecast.SEEDS
        for last, _ in forecast.blocks()
    ],
    quick=lambda settings: settings == {"cell": "RNN", "last": 1920, "seed": 0},
    title="Sunspots, twelve years ahead",
    paper="{cite:t}`makridakis2018`",
    says=(
        "On more than a thousand monthly series simple statistical methods forecast better than "
        "machine learning, recurrent networks among it, at every horizon that was tried."
    ),
    ours=(
        f"One series, yearly. Networks of {forecast.H} units with twelve outputs, one for each horizon, "
        f"{forecast.UPDATES} updates of Adam on {forecast.N} windows of {forecast.T} years, the learning "
        "rate falling from 0.01 to 0, clipped at 1. Every eleven years they are trained anew, on the "
        "years up to then (`last`), and forecast in the eleven that follow. Units (4, 8, 16) and "
        "updates (100 to 800) were chosen on forecasts of years before 1921 by a seed that is not shown. "
        "The table has the first and the last fit of the years that are judged; errors are root mean "
        "squared, in sunspots."
    ),
    why=(
        "The chapter compares them with an autoregression fitted on the same years. One series is no "
        "thousand, and twelve years are one cycle of this one: what it shows is how such a comparison is "
        "made, not how it ends elsewhere."
    ),
    shown=lambda settings: settings["last"] in (1920, 1997),
    columns={
        "training_1": "in training, 1 year ahead",
        "miss_1": "then, 1 year ahead",
        "training_11": "in training, 11 years ahead",
        "miss_11": "then, 11 years ahead",
    },
    chapter="notebooks/16_series",
)

if __name__ == "__main__":
    main(EXPERIMENT)
