"""Many steps, forward and back through time."""

from learners import Learner

RNN_FORWARD = Learner(
    """
def rnn_forward(x, h0, W_x, W_h, b):
    h, states = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W_x + h @ W_h + b)
        states.append(h)
    return np.array(states)
""",
    also=(
        """
def rnn_forward(x, h0, W_x, W_h, b):
    T, N, D = x.shape
    h = np.empty((T + 1, N, len(b)))
    h[0] = h0
    for t in range(T):
        h[t + 1] = np.tanh(np.hstack([x[t], h[t]]) @ np.vstack([W_x, W_h]) + b)
    return h[1:]
""",
        """
def rnn_forward(x, h0, W_x, W_h, b):
    if len(x) == 0:
        return []
    h = np.tanh(x[0] @ W_x + h0 @ W_h + b)
    return [h.tolist()] + rnn_forward(x[1:], h, W_x, W_h, b)
""",
    ),
    wrong=(
        ("the state is not carried over: every step starts from h0", "h @ W_h", "h0 @ W_h"),
        ("the state is not carried over: every step starts from zeros", " + h @ W_h", ""),
        ("the first step starts from zeros", "h, states = h0", "h, states = 0 * h0"),
        ("the bias b is left out", " + b", ""),
        ("the output tanh is missing", "np.tanh", ""),
        ("W_h is transposed", "h @ W_h", "h @ W_h.T"),
        (
            "every h[t] is the last",
            "h, states = h0",
            "h, states = h0.copy()",
            "h = np.tanh",
            "h[:] = np.tanh",
        ),
        ("only the last state", "np.array(states)", "h"),
        ("h0 is returned along", "states = h0, []", "states = h0, [h0]"),
        (
            "the states come one step late",
            "        h = ",
            "        states.append(h)\n        h = ",
            "        states.append(h)\n    return",
            "    return",
        ),
        ("the sequence is read backwards", "in x:", "in x[::-1]:"),
        (
            "the sequence is read backwards, and",
            "in x:",
            "in x[::-1]:",
            "(states)",
            "(states[::-1])",
        ),
        ("sequences stand first", "(states)", "(states).swapaxes(0, 1)"),
    ),
)

BPTT = Learner(
    """
def bptt(x, h0, dh, W_x, W_h, b):
    T, N, D = x.shape
    h = [h0]
    for t in range(T):
        h.append(np.tanh(x[t] @ W_x + h[-1] @ W_h + b))
    a = [x[t] @ W_x + h[t] @ W_h + b for t in range(T)]
    dW_x, dW_h, db = 0 * W_x, 0 * W_h, 0 * b
    carried = 0 * h0
    for t in reversed(range(T)):
        total = dh[t] + carried
        da = total * (1 - h[t + 1] ** 2)
        dW_x += x[t].T @ da
        dW_h += h[t].T @ da
        db += da.sum(axis=0)
        carried = da @ W_h.T
    return dW_x, dW_h, db, carried
""",
    also=(
        """
def bptt(x, h0, dh, W_x, W_h, b):
    if len(x) == 0:
        return 0 * W_x, 0 * W_h, 0 * b, 0 * h0
    h1 = np.tanh(x[0] @ W_x + h0 @ W_h + b)
    dW_x, dW_h, db, later = bptt(x[1:], h1, dh[1:], W_x, W_h, b)
    da = (dh[0] + later) * (1 - h1 * h1)
    return dW_x + x[0].T @ da, dW_h + h0.T @ da, db + da.sum(0), da @ W_h.T
""",
        """
def bptt(x, h0, dh, W_x, W_h, b):
    # no chain rule by hand: the complex step, one number after the other
    arguments = {"dW_x": W_x, "dW_h": W_h, "db": b, "dh0": h0}
    def loss(W_x, W_h, b, h):
        total = 0
        for x_t, dh_t in zip(x, dh):
            h = np.tanh(x_t @ W_x + h @ W_h + b)
            total = total + (dh_t * h).sum()
        return total
    grads = {}
    for name, array in arguments.items():
        grads[name] = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            moved = array.astype(complex)
            moved[place] += 1e-30j
            grads[name][place] = loss(*{**arguments, name: moved}.values()).imag / 1e-30
    return grads
""",
    ),
    wrong=(
        (
            "the gradient is not summed over time: only the first",
            "dW_x +=",
            "dW_x =",
            "dW_h +=",
            "dW_h =",
            "db +=",
            "db =",
        ),
        (
            "the gradient is not summed over time: only the last",
            "        dW_x +=",
            "        if t < T - 1:\n            carried = da @ W_h.T\n            continue\n        dW_x +=",
        ),
        (
            "the gradient is not summed over time: there is one",
            "0 * W_x, 0 * W_h, 0 * b",
            "[], [], []",
            "dW_x += x[t].T @ da",
            "dW_x.insert(0, x[t].T @ da)",
            "dW_h += h[t].T @ da",
            "dW_h.insert(0, h[t].T @ da)",
            "db += da.sum(axis=0)",
            "db.insert(0, da.sum(axis=0))",
        ),
        (
            "the gradient is averaged over time",
            "return dW_x, dW_h, db",
            "return dW_x / T, dW_h / T, db / T",
        ),
        (
            "the first step is left out",
            "        dW_x +=",
            "        if t == 0:\n            carried = da @ W_h.T\n            break\n        dW_x +=",
        ),
        ("nothing is carried back", "dh[t] + carried", "dh[t]"),
        ("the loss at the earlier steps", "dh[t] + carried", "(dh[t] if t == T - 1 else carried)"),
        ("what is carried back lacks the slope", "da @ W_h.T", "total @ W_h.T"),
        ("the slope of tanh is 1 - h^2, not", "h[t + 1] ** 2", "a[t] ** 2"),
        ("the slope of tanh, 1 - h^2, is left out", " * (1 - h[t + 1] ** 2)", ""),
        ("the slope is that of the state before", "h[t + 1] ** 2", "h[t] ** 2"),
        ("W_h is not transposed", "W_h.T", "W_h"),
        ("dW_h is made of h_t", "h[t].T", "h[t + 1].T"),
        ("the state is not carried over", "h[-1] @", "h0 @", "dW_h += h[t].T", "dW_h += h0.T"),
        ("the first step starts from zeros", "h = [h0]", "h = [0 * h0]"),
        ("the output tanh is missing", "np.tanh", ""),
        ("dh0 is what arrives at h_1", "db, carried", "db, total"),
        (
            "the gradients of the weights are averaged",
            "return dW_x, dW_h, db",
            "return dW_x / N, dW_h / N, db / N",
        ),
        ("db is averaged", "da.sum(axis=0)", "da.mean(axis=0)"),
        ("db is not added up", "da.sum(axis=0)", "da", "0 * b\n", "0 * h0\n"),
    ),
)
