"""Which steps count."""

from learners import Learner

TRUNCATE = Learner(
    """
def truncate(t, k):
    first = max(0, t - k + 1)
    return list(range(first, t + 1))
""",
    also=(
        """
def truncate(t, k):
    return {t - back for back in range(k) if back <= t}
""",
        """
def truncate(t, k):
    steps = []
    for step in range(t + 1):
        if t - step < k:
            steps.append(step)
    return np.array(steps)
""",
    ),
    wrong=(
        ("off by one: there is one step too many", "t - k + 1", "t - k"),
        ("off by one: there is one step too few", "t - k + 1", "t - k + 2"),
        ("off by one: step t itself is missing", "range(first, t + 1)", "range(first, t)"),
        (
            "off by one: these are the k steps before",
            "t - k + 1",
            "t - k",
            "range(first, t + 1)",
            "range(first, t)",
        ),
        ("there are steps before the first one", "max(0, t - k + 1)", "t - k + 1"),
        ("these are the numbers from 0", "range(first, t + 1)", "range(t + 1)[:k]"),
        ("these are the steps that are cut", "range(first, t + 1)", "range(first)"),
        ("nothing is cut off", "range(first, t + 1)", "range(t + 1)"),
        ("the steps stand in descending", "range(first, t + 1)", "range(t, first - 1, -1)"),
        ("the sequence is cut into pieces", "max(0, t - k + 1)", "t // k * k"),
    ),
)

MASK = Learner(
    """
def mask(lengths, T):
    t = np.arange(T).reshape(T, 1)
    return t < lengths
""",
    also=(
        """
def mask(lengths, T):
    return [[1 if t < length else 0 for length in lengths] for t in range(T)]
""",
        """
def mask(lengths, T):
    runs = np.zeros((T, len(lengths)), bool)
    for n, length in enumerate(lengths):
        runs[:length, n] = True
    return runs
""",
    ),
    wrong=(
        ("off by one, too long", "t < lengths", "t <= lengths"),
        ("off by one, too short", "t < lengths", "t + 1 < lengths"),
        ("it is flipped", "t < lengths", "t >= lengths"),
        ("sequences stand first", "t < lengths", "(t < lengths).T"),
        ("the padding stands first", "t < lengths", "(t < lengths)[::-1]"),
        ("only the last step", "t < lengths", "t == lengths - 1"),
    ),
)

MASKED_MEAN = Learner(
    """
def masked_mean(losses, lengths):
    T, N = losses.shape
    runs = np.arange(T)[:, None] < lengths
    per_sequence = (losses * runs).sum(axis=0) / lengths
    return per_sequence.mean()
""",
    also=(
        """
def masked_mean(losses, lengths):
    total = 0.0
    for n, length in enumerate(lengths):
        total += sum(losses[t, n] for t in range(length)) / length
    return total / len(lengths)
""",
        """
def masked_mean(losses, lengths):
    runs = np.arange(len(losses))[:, None] < lengths
    weights = runs / (runs.sum(axis=0) * len(lengths))
    return np.vdot(weights, losses)
""",
    ),
    wrong=(
        ("the padding is counted", "per_sequence.mean()", "losses.mean()"),
        ("the padding is zero but", "/ lengths", "/ T"),
        ("every step counts alike", "per_sequence.mean()", "(losses * runs).sum() / runs.sum()"),
        ("each sequence is summed", " / lengths", ""),
        ("the sequences are added up", "per_sequence.mean()", "per_sequence.sum()"),
        ("there is one mean for each", "per_sequence.mean()", "per_sequence"),
        ("off by one: the first step of the padding", "< lengths", "<= lengths"),
        ("off by one: the last step of each", "< lengths", "< lengths - 1"),
    ),
)

REVERSE = Learner(
    """
def reverse(x, lengths):
    y = x.copy()
    for n, length in enumerate(lengths):
        first, last = 0, length
        y[first:last, n] = x[first:last, n][::-1]
    return y
""",
    also=(
        """
def reverse(x, lengths):
    t = np.arange(len(x))[:, None]
    source = np.where(t < lengths, lengths - 1 - t, t)
    return x[source, np.arange(len(lengths))]
""",
        """
def reverse(x, lengths):
    T, N, _ = x.shape
    return [
        [x[lengths[n] - 1 - t if t < lengths[n] else t, n].tolist() for n in range(N)]
        for t in range(T)
    ]
""",
    ),
    wrong=(
        ("the padding is reversed too", "return y", "return x[::-1]"),
        ("the sequences change places", "return y", "return x[:, ::-1]"),
        ("the inputs of each step", "return y", "return x[:, :, ::-1]"),
        ("the padding is lost", "x.copy()", "np.zeros_like(x)"),
        ("off by one: the last step", "0, length", "0, length - 1"),
        ("off by one: the first step", "0, length", "1, length"),
        ("every sequence is reversed as if", "0, length", "0, lengths[0]"),
    ),
)
