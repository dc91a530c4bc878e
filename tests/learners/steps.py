"""Steps of the three cells, forward."""

from itertools import permutations

from learners import Learner


def orders(words: str, right: str) -> tuple[tuple[str, ...], ...]:
    """An edit of `i, f, g, o = ` for every other order."""
    right = ", ".join(right)
    return tuple(
        (f"{words} in the order {order}, not", f"    {right} =", f"    {order} =")
        for order in (", ".join(p) for p in permutations(right.split(", ")))
        if order != right
    )


RNN_STEP = Learner(
    """
def rnn_step(x, h_prev, W_x, W_h, b):
    a = x @ W_x + h_prev @ W_h + b
    h = np.tanh(a)
    return h
""",
    also=(
        """
def rnn_step(x, h_prev, W_x, W_h, b):
    both, W = np.hstack([h_prev, x]), np.vstack([W_h, W_x])
    return 2 * sigmoid(2 * (both @ W + b)) - 1
""",
        """
def rnn_step(x, h_prev, W_x, W_h, b):
    N, H = h_prev.shape
    h = [[0.0] * H for _ in range(N)]
    for n in range(N):
        for k in range(H):
            a = b[k]
            for d in range(x.shape[1]):
                a += x[n, d] * W_x[d, k]
            for j in range(H):
                a += h_prev[n, j] * W_h[j, k]
            h[n][k] = float(np.tanh(a))
    return h
""",
    ),
    wrong=(
        ("the output tanh is missing", "np.tanh(a)", "a"),
        ("a sigmoid stands", "np.tanh(a)", "sigmoid(a)"),
        ("a ReLU stands", "np.tanh(a)", "np.maximum(a, 0)"),
        ("the bias b is left out", " + b", ""),
        ("the bias is counted twice", "x @ W_x", "(x @ W_x + b)"),
        ("the state is not carried over", " + h_prev @ W_h", ""),
        ("the input x plays no part", "x @ W_x + ", ""),
        ("W_h is transposed", "W_h +", "W_h.T +"),
        ("W_x is transposed", "W_x +", "W_x.T +"),
        ("W_x and W_h are transposed", "W_x +", "W_x.T +", "W_h +", "W_h.T +"),
        ("W_x and W_h have changed", "x @ W_x + h_prev @ W_h", "x @ W_h + h_prev @ W_x"),
        ("h_prev is added as it is", "h_prev @ W_h", "h_prev"),
        ("the old state is added", "np.tanh(a)", "np.tanh(a) + h_prev"),
        ("* stands where @", "@", "*"),
        (
            "the tanh is taken of each",
            "x @ W_x",
            "np.tanh(x @ W_x)",
            "h_prev @ W_h + b",
            "np.tanh(h_prev @ W_h + b)",
            "h = np.tanh(a)",
            "h = a",
        ),
        ("the bias stands outside", " + b", "", "np.tanh(a)", "np.tanh(a) + b"),
    ),
)

LSTM_STEP = Learner(
    """
def lstm_step(x, h_prev, c_prev, W_x, W_h, b):
    a = x @ W_x + h_prev @ W_h + b
    i, f, g, o = np.split(a, 4, axis=1)
    b_i, b_f, b_g, b_o = np.split(b, 4)
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = np.tanh(g)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c
""",
    also=(
        """
def lstm_step(x, h_prev, c_prev, W_x, W_h, b):
    H = h_prev.shape[1]
    a = np.hstack([x, h_prev, np.ones((len(x), 1))]) @ np.vstack([W_x, W_h, b])
    s = sigmoid(a)
    c = s[:, H : 2 * H] * c_prev + s[:, :H] * np.tanh(a[:, 2 * H : 3 * H])
    return {"h": s[:, 3 * H :] * np.tanh(c), "c": c}
""",
        """
def lstm_step(x, h_prev, c_prev, W_x, W_h, b):
    N, H = h_prev.shape
    h, c = [], []
    for n in range(N):
        a = [float(x[n] @ W_x[:, k] + h_prev[n] @ W_h[:, k] + b[k]) for k in range(4 * H)]
        c.append([sigmoid(a[H + k]) * c_prev[n, k] + sigmoid(a[k]) * np.tanh(a[2 * H + k]) for k in range(H)])
        h.append([sigmoid(a[3 * H + k]) * np.tanh(c[n][k]) for k in range(H)])
    return [h, c]
""",
    ),
    wrong=(
        ("the output tanh is missing", "np.tanh(c)", "c"),
        *orders("the gates are read", "ifgo"),
        ("the candidate g has no tanh", "g = np.tanh(g)", "g = g"),
        ("a sigmoid stands where the tanh of the candidate", "np.tanh(g)", "sigmoid(g)"),
        ("the three gates have no sigmoid", "sigmoid(i), sigmoid(f), sigmoid(o)", "i, f, o"),
        (
            "tanh stands where",
            "sigmoid(i), sigmoid(f), sigmoid(o)",
            "np.tanh(i), np.tanh(f), np.tanh(o)",
        ),
        ("a sigmoid stands where the output", "np.tanh(c)", "sigmoid(c)"),
        ("h is made of the old cell", "np.tanh(c)", "np.tanh(c_prev)"),
        ("the output gate is left out", "o * np", "np"),
        ("the cell state is not carried", "f * c_prev + ", ""),
        ("the forget gate is left out", "f * c_prev", "c_prev"),
        ("the input gate is left out", "i * g", "g"),
        ("f is flipped", "f * c_prev", "(1 - f) * c_prev"),
        ("the gates are coupled", "i * g", "(1 - f) * g"),
        ("the state is not carried over: h_prev", " + h_prev @ W_h", ""),
        ("c_prev stands where h_prev", "h_prev @", "c_prev @"),
        ("the input x plays no part", "x @ W_x + ", ""),
        ("the bias b is left out", " + b\n", "\n"),
        ("the bias is counted twice", "x @ W_x", "x @ W_x + b"),
        ("b_i is used twice: f", "sigmoid(f)", "sigmoid(f - b_f + b_i)"),
        ("b_i is used twice: g", "np.tanh(g)", "np.tanh(g - b_g + b_i)"),
        ("b_i is used twice: o", "sigmoid(o)", "sigmoid(o - b_o + b_i)"),
        ("1 is added to the forget", "sigmoid(f)", "sigmoid(f + 1)"),
        ("h and c are returned", "return h, c", "return c, h"),
    ),
)

GRU_EITHER = (
    ("z is flipped", "(1 - z) * n + z * h_prev", "z * n + (1 - z) * h_prev"),
    ("the old state is not kept", " + z * h_prev", ""),
    ("the candidate is not weighted", "(1 - z) * n", "n"),
    ("the update gate is left out", "(1 - z) * n + z * h_prev", "n"),
    *orders("the gates are read", "rzn"),
    ("the candidate n has no tanh", "np.tanh(a)", "a"),
    ("a sigmoid stands", "np.tanh(a)", "sigmoid(a)"),
    (
        "r and z have no sigmoid",
        "sigmoid(x_r + h_r)",
        "x_r + h_r",
        "sigmoid(x_z + h_z)",
        "x_z + h_z",
    ),
    ("tanh stands where", "sigmoid", "np.tanh"),
    ("the bias b is left out", "x @ W_x + b", "x @ W_x"),
    ("the bias b is counted twice", "x @ W_x + b", "x @ W_x + b + b"),
    ("the input x plays no part", "x @ W_x", "0 * (x @ W_x)"),
    ("h_prev plays no part in the gates", "    W_hr", "    W_h = 0 * W_h\n    W_hr"),
    ("the state is not carried over", "    W_hr", "    h_prev = 0 * h_prev\n    W_hr"),
)

GRU_STEP = Learner(
    """
def gru_step(x, h_prev, W_x, W_h, b, b_hn):
    r, z, n = 0, 1, 2
    W_hr, W_hz, W_hn = (np.split(W_h, 3, axis=1)[gate] for gate in (r, z, n))
    x_r, x_z, x_n = (np.split(x @ W_x + b, 3, axis=1)[gate] for gate in (r, z, n))
    h_r, h_z = h_prev @ W_hr, h_prev @ W_hz
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    a = x_n + r * (h_prev @ W_hn + b_hn)
    n = np.tanh(a)
    return (1 - z) * n + z * h_prev
""",
    also=(
        """
def gru_step(x, h_prev, W_x, W_h, b, b_hn):
    H = h_prev.shape[1]
    a, hW = x @ W_x + b, h_prev @ W_h
    s = sigmoid((a + hW)[:, : 2 * H])
    n = np.tanh(a[:, 2 * H :] + s[:, :H] * (hW[:, 2 * H :] + b_hn))
    return n + s[:, H:] * (h_prev - n)
""",
        """
def gru_step(x, h_prev, W_x, W_h, b, b_hn):
    H = h_prev.shape[1]
    h = []
    for x_n, h_n in zip(x.tolist(), h_prev.tolist()):
        a, u = np.array(x_n) @ W_x + b, np.array(h_n) @ W_h
        r, z = (sigmoid(a[k : k + H] + u[k : k + H]) for k in (0, H))
        n = np.tanh(a[2 * H :] + r * (u[2 * H :] + b_hn))
        h.append([float(z[k] * h_n[k] + (1 - z[k]) * n[k]) for k in range(H)])
    return h
""",
    ),
    wrong=(
        (
            "the reset stands before the product, (r",
            "r * (h_prev @ W_hn + b_hn)",
            "(r * h_prev) @ W_hn + b_hn",
        ),
        (
            "the reset stands before the product, and",
            "r * (h_prev @ W_hn + b_hn)",
            "(r * h_prev) @ W_hn",
        ),
        ("b_hn stands outside", "r * (h_prev @ W_hn + b_hn)", "r * (h_prev @ W_hn) + b_hn"),
        ("the bias b_hn is left out", "W_hn + b_hn", "W_hn"),
        ("the reset gate is left out", "r * (h", "(h"),
        ("the reset gate is flipped", "r * (h", "(1 - r) * (h"),
        (
            "the reset gate takes",
            "x_n + r * (h_prev @ W_hn + b_hn)",
            "r * (x_n + h_prev @ W_hn + b_hn)",
        ),
        ("the candidate does not see", " + r * (h_prev @ W_hn + b_hn)", ""),
        *GRU_EITHER,
    ),
)

GRU_STEP_BEFORE = Learner(
    """
def gru_step(x, h_prev, W_x, W_h, b):
    r, z, n = 0, 1, 2
    W_hr, W_hz, W_hn = (np.split(W_h, 3, axis=1)[gate] for gate in (r, z, n))
    x_r, x_z, x_n = (np.split(x @ W_x + b, 3, axis=1)[gate] for gate in (r, z, n))
    h_r, h_z = h_prev @ W_hr, h_prev @ W_hz
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    a = x_n + (r * h_prev) @ W_hn
    n = np.tanh(a)
    return (1 - z) * n + z * h_prev
""",
    also=(
        """
def gru_step(x, h_prev, W_x, W_h, b):
    H = h_prev.shape[1]
    both = np.hstack([x, h_prev])
    W = np.vstack([W_x, W_h])
    s = sigmoid(both @ W[:, : 2 * H] + b[: 2 * H])
    reset = np.hstack([x, s[:, :H] * h_prev])
    n = np.tanh(reset @ W[:, 2 * H :] + b[2 * H :])
    return (n + s[:, H:] * (h_prev - n)).tolist()
""",
    ),
    wrong=(
        ("the reset stands after", "(r * h_prev) @ W_hn", "r * (h_prev @ W_hn)"),
        ("the reset gate is left out", "(r * h_prev)", "h_prev"),
        ("the reset gate is flipped", "(r * h_prev)", "((1 - r) * h_prev)"),
        ("the reset gate takes", "x_n + (r * h_prev) @ W_hn", "r * (x_n + h_prev @ W_hn)"),
        ("the candidate does not see", " + (r * h_prev) @ W_hn", ""),
        *GRU_EITHER,
    ),
)
