"""Probabilities, and how surprising symbols are."""

from learners import Learner

SOFTMAX = Learner(
    """
def softmax(logits):
    axis = -1
    e = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
""",
    also=(
        """
def softmax(logits):
    shifted = logits - logits.max(axis=-1)[..., None]
    return np.exp(shifted - np.log(np.exp(shifted).sum(axis=-1))[..., None])
""",
        """
def softmax(logits):
    if logits.ndim > 1:
        return [softmax(row) for row in logits]
    e = [float(np.exp(a - max(logits))) for a in logits]
    return [number / sum(e) for number in e]
""",
    ),
    wrong=(
        ("exp overflows", " - logits.max(axis=axis, keepdims=True)", ""),
        ("the probabilities add up to 1 along", "axis = -1", "axis = 0"),
        ("all numbers together", "axis = -1", "axis = None"),
        (
            "the exponential is missing",
            "np.exp(logits - logits.max(axis=axis, keepdims=True))",
            "logits",
        ),
        ("they do not add up", " / e.sum(axis=axis, keepdims=True)", ""),
        (
            "this is exp of each",
            "return e / e.sum(axis=axis, keepdims=True)",
            "return np.exp(logits)",
        ),
        ("this is the sigmoid", "return", "return sigmoid(logits)\n    return"),
        (
            "this is the logarithm",
            "return e / e.sum(axis=axis, keepdims=True)",
            "return np.log(e / e.sum(axis=axis, keepdims=True))",
        ),
        ("the sign is wrong", "    axis = -1", "    axis, logits = -1, -logits"),
        ("powers of 2", "np.exp(", "2 ** ("),
    ),
)

TEMPERATURE = Learner(
    """
def temperature(logits, T):
    def softmax(a):
        e = np.exp(a)
        return e / e.sum(axis=-1, keepdims=True)
    return softmax(logits / T)
""",
    also=(
        """
def temperature(logits, temperature):
    p = np.exp(logits) ** (1 / temperature)
    return p / p.sum(axis=-1)[..., None]
""",
        """
def at_temperature(logits, T):
    if logits.ndim > 1:
        return [at_temperature(row, T) for row in logits]
    e = [float(np.exp((a - logits[0]) / T)) for a in logits]
    return [number / sum(e) for number in e]
""",
    ),
    wrong=(
        ("the temperature multiplies", "logits / T", "logits * T"),
        ("the temperature changes nothing", "logits / T", "logits"),
        ("the probabilities are divided", "softmax(logits / T)", "softmax(logits) / T"),
        ("softmax is missing", "softmax(logits / T)", "logits / T"),
        (
            "the temperature is added",
            "e / e.sum",
            "e / np.exp(logits + T).sum",
            "logits / T",
            "logits",
        ),
        ("the logits are divided by the square", "logits / T", "logits / T**2"),
        ("the logits are divided by the root", "logits / T", "logits / np.sqrt(T)"),
        ("softmax comes first", "softmax(logits / T)", "softmax(softmax(logits) / T)"),
        ("the sign is wrong", "logits / T", "-logits / T"),
    ),
)

CROSS_ENTROPY = Learner(
    """
def cross_entropy(logits, targets):
    a = logits - logits.max(axis=-1, keepdims=True)
    log_p = a - np.log(np.exp(a).sum(axis=-1, keepdims=True))
    T, N, K = logits.shape
    t, n = np.indices((T, N))
    each = -log_p[t, n, targets]
    return each.mean()
""",
    also=(
        """
def cross_entropy(logits, targets):
    total = 0.0
    for row, target in zip(logits.reshape(targets.size, -1), targets.ravel()):
        row = row - max(row)
        total += np.log(sum(np.exp(a) for a in row)) - row[target]
    return total / targets.size
""",
        """
def cross_entropy(logits, targets):
    K = logits.shape[-1]
    one_hot = np.eye(K)[targets]
    return np.mean(np.logaddexp.reduce(logits, axis=-1) - (logits * one_hot).sum(axis=-1)).item()
""",
    ),
    wrong=(
        (
            "exp overflows",
            "log_p = a - np.log(np.exp(a).sum(axis=-1, keepdims=True))",
            "log_p = np.log(np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True))",
        ),
        (
            "p is 0 for a small logit",
            "log_p = a - np.log(np.exp(a).sum(axis=-1, keepdims=True))",
            "log_p = np.log(np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True))",
        ),
        ("it is a sum over steps", "each.mean()", "each.sum()"),
        ("it is summed over time", "each.mean()", "each.sum(axis=0).mean()"),
        ("it is summed over the batch", "each.mean()", "each.mean(axis=0).sum()"),
        ("there is one loss for each step", "each.mean()", "each"),
        ("the mean is taken over all K", "each.mean()", "each.sum() / (T * N * K)"),
        ("the logarithm has base 2", "each.mean()", "each.mean() / np.log(2)"),
        ("the logarithm has base 10", "each.mean()", "each.mean() * np.log10(np.e)"),
        ("the sign is wrong", "-log_p", "log_p"),
        (
            "softmax is missing",
            "log_p = a - np.log(np.exp(a).sum(axis=-1, keepdims=True))",
            "log_p = np.log(logits)",
        ),
        (
            "the sum over all symbols",
            "log_p = a - np.log(np.exp(a).sum(axis=-1, keepdims=True))",
            "log_p = logits",
        ),
        (
            "the logarithm is missing: -log p, not 1",
            "-log_p[t, n, targets]",
            "1 - np.exp(log_p)[t, n, targets]",
        ),
        (
            "the logarithm is missing: -log p, not -p",
            "-log_p[t, n, targets]",
            "-np.exp(log_p)[t, n, targets]",
        ),
        ("the logarithm is taken of the mean", "each.mean()", "-np.log(np.exp(-each).mean())"),
        ("all symbols are asked for", "-log_p[t, n, targets]", "-log_p.sum(axis=-1)"),
        ("this is the entropy", "-log_p[t, n, targets]", "-(np.exp(log_p) * log_p).sum(axis=-1)"),
    ),
)

PERPLEXITY = Learner(
    """
def perplexity(p):
    surprise = -np.log(p)
    return np.exp(surprise.mean())
""",
    also=(
        "def perplexity(p):\n    return 2 ** np.mean([-np.log2(number) for number in p])",
        "def perplexity(p):\n    return float(np.prod(p)) ** (-1 / len(p))",
    ),
    wrong=(
        (
            "natural and binary logarithm are mixed: 2",
            "np.exp(surprise.mean())",
            "2 ** surprise.mean()",
        ),
        ("natural and binary logarithm are mixed: e", "np.log(p)", "np.log2(p)"),
        (
            "the exponential is missing: this is the cross-entropy in nats",
            "np.exp(surprise.mean())",
            "surprise.mean()",
        ),
        (
            "the exponential is missing: this is the cross-entropy in bits",
            "np.log(p)",
            "np.log2(p)",
            "np.exp(surprise.mean())",
            "surprise.mean()",
        ),
        ("the surprise is added up", "mean()", "sum()"),
        ("the sign is wrong", "-np.log", "np.log"),
        ("this is 1 / the mean", "np.exp(surprise.mean())", "1 / p.mean()"),
        ("this is the mean of 1 / p", "np.exp(surprise.mean())", "np.exp(surprise).mean()"),
        ("there is one number for each", "surprise.mean()", "surprise"),
    ),
)
