"""What stands around a cell."""

from learners import Learner

PARAMETER_COUNT = Learner(
    """
def parameter_count(D, H, cell):
    blocks = {"RNN": 1, "LSTM": 4, "GRU": 3}[cell]
    W_x, W_h, b = D * H, H * H, H
    b_hn = H if cell == "GRU" else 0
    return blocks * (W_x + W_h + b) + b_hn
""",
    also=(
        """
def parameter_count(D, H, cell):
    if cell == "RNN":
        return H * (D + H + 1)
    if cell == "LSTM":
        return 4 * H * (D + H + 1)
    return np.array(3 * H * (D + H + 1) + H)
""",
        """
def parameter_count(D, H, cell):
    gates = {"RNN": "h", "LSTM": "ifgo", "GRU": "rzn"}[cell]
    shapes = [(D, H), (H, H), (H,)] * len(gates) + [(H,)] * (cell == "GRU")
    return float(sum(np.zeros(shape).size for shape in shapes))
""",
    ),
    wrong=(
        ("the biases are left out", " + b) + b_hn", ")"),
        ("the biases are counted twice", " + b) + b_hn", " + 2 * b)"),
        ("b_hn is left out", " + b_hn", ""),
        ("the gates are left out", "blocks *", "1 *"),
        ("the candidate is left out", "4, ", "3, ", '"GRU": 3', '"GRU": 2'),
        ("W_h is D H", "H * H", "D * H"),
        ("W_h is left out", "W_h + b)", "b)"),
        ("W_x is left out", "W_x + ", ""),
        ("W_h is counted once", "W_h + b) + b_hn", "b) + W_h + b_hn"),
        ("the bias is one number", "H * H, H", "H * H, 1"),
        ("the state is counted", ") + b_hn", ") + b_hn + H"),
    ),
)

LAYER_NORM = Learner(
    """
def layer_norm(a, gain, bias, eps):
    axis = -1
    mean = a.mean(axis=axis, keepdims=True)
    var = a.var(axis=axis, keepdims=True)
    return (a - mean) / np.sqrt(var + eps) * gain + bias
""",
    also=(
        """
def layer_norm(a, gain, bias, eps):
    H = a.shape[1]
    centered = a - (a @ np.ones((H, 1))) / H
    return gain * centered * ((centered**2).sum(axis=1, keepdims=True) / H + eps) ** -0.5 + bias
""",
        """
def layer_norm(a, gain, bias, eps):
    rows = []
    for row in a.tolist():
        m = sum(row) / len(row)
        v = sum((k - m) ** 2 for k in row) / len(row)
        rows.append([g * (k - m) / (v + eps) ** 0.5 + b for k, g, b in zip(row, gain, bias)])
    return rows
""",
    ),
    wrong=(
        ("the mean is taken over the batch", "axis = -1", "axis = 0"),
        ("the mean is taken over everything", "axis = -1", "axis = None"),
        ("the root is missing", "np.sqrt", ""),
        ("eps stands outside", "np.sqrt(var + eps)", "(np.sqrt(var) + eps)"),
        ("eps is left out", "var + eps", "var"),
        ("the variance has n - 1", "a.var(", "a.var(ddof=1, "),
        ("the mean is not subtracted", "(a - mean)", "a"),
        ("the gain is left out", " * gain", ""),
        ("the bias is left out", " + bias", ""),
        ("gain and bias have changed", "gain + bias", "bias + gain"),
        (
            "the bias is multiplied",
            "(a - mean) / np.sqrt(var + eps) * gain + bias",
            "((a - mean) / np.sqrt(var + eps) + bias) * gain",
        ),
    ),
)

ATTENTION = Learner(
    """
def attention(query, keys):
    S, N, H = keys.shape
    scores = (query * keys).sum(axis=-1)
    weights = np.exp(scores) / np.exp(scores).sum(axis=0)
    each = weights[:, :, None] * keys
    context = each.sum(axis=0)
    return context, weights
""",
    also=(
        """
def attention(query, keys):
    weights = [[float(np.exp(query[n] @ keys[s, n])) for n in range(len(query))] for s in range(len(keys))]
    weights = np.array(weights) / sum(np.array(row) for row in weights)
    return np.einsum("sn,snh->nh", weights, keys).tolist(), weights.tolist()
""",
        """
def attention(query, keys):
    scores = np.einsum("nh,snh->ns", query, keys)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return {"weights": p.T, "context": (p[:, None] @ keys.swapaxes(0, 1))[:, 0]}
""",
    ),
    wrong=(
        (
            "the weights add up to 1 over the batch",
            "np.exp(scores).sum(axis=0)",
            "np.exp(scores).sum(axis=1, keepdims=True)",
        ),
        ("softmax is missing", "np.exp(scores) / np.exp(scores).sum(axis=0)", "scores"),
        ("the scores are divided", ".sum(axis=-1)", ".sum(axis=-1) / np.sqrt(H)"),
        (
            "all places get the same",
            "np.exp(scores) / np.exp(scores).sum(axis=0)",
            "np.ones((S, N)) / S",
        ),
        (
            "only the best place",
            "np.exp(scores) / np.exp(scores).sum(axis=0)",
            "np.eye(S)[scores.argmax(axis=0)].T",
        ),
        ("this is the sigmoid", "np.exp(scores) / np.exp(scores).sum(axis=0)", "sigmoid(scores)"),
        ("the context is a mean", "each.sum(axis=0)", "each.mean(axis=0)"),
        ("the keys are not weighted", "each.sum", "keys.sum"),
        ("the query is weighted", "[:, :, None] * keys", "[:, :, None] * query"),
        ("context and weights are returned", "return context, weights", "return weights, context"),
        ("sequences stand first", "return context, weights", "return context, weights.T"),
    ),
)
