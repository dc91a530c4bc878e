"""What a network reads and has to predict."""

from learners import Learner

INPUTS_AND_TARGETS = Learner(
    "def inputs_and_targets(codes):\n    inputs, targets = codes[:-1], codes[1:]\n    return inputs, targets",
    also=(
        "def inputs_and_targets(codes):\n    return [list(side) for side in zip(*zip(codes, codes[1:]))]",
        'def inputs_and_targets(codes):\n    T = len(codes)\n    return {"targets": np.roll(codes, -1)[: T - 1], "inputs": np.delete(codes, T - 1)}',
    ),
    wrong=(
        ("the targets are the inputs", "codes[1:]", "codes[:-1]"),
        ("inputs and targets have changed", "return inputs, targets", "return targets, inputs"),
        ("the last symbol has no next", "codes[:-1]", "codes"),
        ("the text is bent", "codes[:-1], codes[1:]", "codes, np.roll(codes, -1)"),
        ("off by one: the target is", "codes[:-1], codes[1:]", "codes[:-2], codes[2:]"),
        ("off by one: the last pair", "return inputs, targets", "return inputs[:-1], targets[:-1]"),
        ("off by one: the first pair", "return inputs, targets", "return inputs[1:], targets[1:]"),
    ),
)

WINDOWS = Learner(
    """
def windows(series, size):
    starts = range(0, len(series) - size)
    inputs = np.array([series[t : t + size] for t in starts])
    targets = np.array([series[t + size] for t in starts])
    return inputs, targets
""",
    also=(
        """
def windows(series, size):
    all_windows = np.lib.stride_tricks.sliding_window_view(series, size + 1)
    return all_windows[:, :-1], all_windows[:, -1]
""",
        """
def windows(series, size):
    series, inputs, targets = series.tolist(), [], []
    while len(series) > size:
        inputs.append(series[:size])
        targets.append(series[size])
        series = series[1:]
    return inputs, targets
""",
    ),
    wrong=(
        ("the target is inside", "series[t + size]", "series[t + size - 1]"),
        ("off by one: the last window is missing", "- size)", "- size - 1)"),
        (
            "off by one: the last window has no target",
            "range(0, len(series) - size)",
            "range(0, len(series) - size + 1)",
            "for t in starts])\n    return",
            "for t in starts[:-1]])\n    return",
        ),
        (
            "off by one: the target is",
            "- size)",
            "- size - 1)",
            "series[t + size]",
            "series[t + size + 1]",
        ),
        ("the windows do not overlap", "- size)", "- size, size)"),
        ("the windows are reversed", "return inputs", "return inputs[:, ::-1]"),
        ("the windows stand in columns", "return inputs", "return inputs.T"),
    ),
)

STANDARDIZE = Learner(
    """
def standardize(series, n_train):
    train, test = series[:n_train], series[n_train:]
    m, s = train.mean(), train.std()
    return (series - m) / s
""",
    also=(
        """
def standardize(series, n_train):
    m = sum(series[:n_train]) / n_train
    s = (sum((number - m) ** 2 for number in series[:n_train]) / n_train) ** 0.5
    return [(number - m) / s for number in series]
""",
        """
def standardize(series, n_train):
    m = np.mean(series[:n_train])
    s = np.sqrt(np.mean(series[:n_train] ** 2) - m**2)
    return np.append(series[:n_train] - m, series[n_train:] - m) / s
""",
    ),
    wrong=(
        ("the future leaks", "train.mean(), train.std()", "series.mean(), series.std()"),
        ("mean and deviation come from", "train.mean(), train.std()", "test.mean(), test.std()"),
        (
            "the two parts are scaled apart",
            "return (series - m) / s",
            "return np.append((train - m) / s, (test - test.mean()) / test.std())",
        ),
        ("the root is missing", "train.std()", "train.var()"),
        ("the deviation has n - 1", "train.std()", "train.std(ddof=1)"),
        ("the mean is not subtracted", "(series - m)", "series"),
        ("it is not divided", " / s", ""),
        ("it is multiplied", " / s", " * s"),
        (
            "it is scaled to 0..1",
            "train.mean(), train.std()",
            "train.min(), train.max() - train.min()",
        ),
        ("only the first n_train", "series - m", "train - m"),
    ),
)

PERSISTENCE = Learner(
    """
def persistence(series, horizon):
    T = len(series)
    forecast = [series[t - horizon] for t in range(horizon, T)]
    return forecast
""",
    also=(
        "def persistence(series, horizon):\n    return series[:-horizon]",
        "def persistence(series, horizon):\n    return np.roll(series, horizon)[horizon:]",
    ),
    wrong=(
        ("these are the numbers to be forecast", "series[t - horizon]", "series[t]"),
        ("off by one", "series[t - horizon]", "series[t - horizon + 1]"),
        ("it looks back one step", "series[t - horizon]", "series[t - 1]"),
        ("there is one forecast too many", "(horizon, T)", "(horizon, T + 1)"),
        (
            "this is the mean of what came",
            "series[t - horizon]",
            "series[: t - horizon + 1].mean()",
        ),
        ("this is the mean of the whole", "series[t - horizon]", "series.mean()"),
    ),
)
