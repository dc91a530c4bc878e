"""Steps of the three cells, backward."""

from learners import Learner
from learners.steps import orders

FROM_A = (
    (
        "the gradients of the weights are averaged",
        "dW_x = ",
        "dW_x = 1 / len(x) * ",
        "dW_h = ",
        "dW_h = 1 / len(x) * ",
        "da.sum(axis=0)",
        "da.mean(axis=0)",
    ),
    ("db is averaged", "da.sum(axis=0)", "da.mean(axis=0)"),
    ("db is not added up", "da.sum(axis=0)", "da"),
    ("dW_h is made of h", "dW_h = h_prev.T", "dW_h = h.T"),
    (
        "dW_x and dW_h are transposed",
        "dW_x = x.T @ da",
        "dW_x = da.T @ x",
        "dW_h = h_prev.T @ da",
        "dW_h = da.T @ h_prev",
    ),
)

RNN_STEP_BACKWARD = Learner(
    """
def rnn_step_backward(dh, x, h_prev, W_x, W_h, b):
    a = x @ W_x + h_prev @ W_h + b
    h = np.tanh(a)
    da = dh * (1 - h**2)
    dx, dh_prev = da @ W_x.T, da @ W_h.T
    dW_x = x.T @ da
    dW_h = h_prev.T @ da
    db = da.sum(axis=0)
    return dx, dh_prev, dW_x, dW_h, db
""",
    also=(
        """
def rnn_step_backward(dh, x, h_prev, W_x, W_h, b):
    D, both = x.shape[1], np.hstack([x, h_prev])
    W = np.vstack([W_x, W_h])
    da = dh / np.cosh(both @ W + b) ** 2
    dboth, dW = da @ W.T, both.T @ da
    return {"dx": dboth[:, :D], "dh_prev": dboth[:, D:], "dW_x": dW[:D], "dW_h": dW[D:], "db": sum(da)}
""",
        """
def rnn_step_backward(dh, x, h_prev, W_x, W_h, b):
    h = np.tanh(x @ W_x + h_prev @ W_h + b)
    dx, dh_prev = [], []
    dW_x, dW_h, db = 0 * W_x, 0 * W_h, 0 * b
    for n in range(len(x)):
        da = dh[n] - dh[n] * h[n] * h[n]
        dx.append((W_x @ da).tolist())
        dh_prev.append((W_h @ da).tolist())
        dW_x += np.outer(x[n], da)
        dW_h += np.outer(h_prev[n], da)
        db += da
    return [dx, dh_prev, dW_x, dW_h, db]
""",
    ),
    wrong=(
        ("the slope of tanh is 1 - h^2, not 1 - a^2", "h**2", "a**2"),
        ("the slope of tanh is left out", " * (1 - h**2)", ""),
        ("the slope of tanh is 1 - h^2; h (1 - h)", "(1 - h**2)", "h * (1 - h)"),
        ("the slope of tanh is 1 - h^2, not 1 - h", "h**2", "h"),
        ("the slope is taken of h", "h**2", "np.tanh(h) ** 2"),
        ("the slope of a ReLU", "(1 - h**2)", "(a > 0)"),
        ("W_h is not transposed", "W_h.T", "W_h"),
        ("W_x is not transposed", "W_x.T", "W_x"),
        ("neither matrix is transposed", "W_x.T", "W_x", "W_h.T", "W_h"),
        ("dh goes back without the slope", "da @ W_h.T", "dh @ W_h.T"),
        (
            "the weights get dh",
            "dW_x = x.T @ da",
            "dW_x = x.T @ dh",
            "h_prev.T @ da",
            "h_prev.T @ dh",
            "da.sum",
            "dh.sum",
        ),
        *FROM_A,
    ),
)

LSTM_STEP_BACKWARD = Learner(
    """
def lstm_step_backward(dh, dc, x, h_prev, c_prev, W_x, W_h, b):
    i, f, g, o = 0, 1, 2, 3
    back = np.argsort([i, f, g, o])
    a = np.split(x @ W_x + h_prev @ W_h + b, 4, axis=1)
    a_i, a_f, a_g, a_o = a[i], a[f], a[g], a[o]
    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
    g = np.tanh(a_g)
    c = f * c_prev + i * g
    tanh_c = np.tanh(c)
    h = o * tanh_c
    dc_total = dc + dh * o * (1 - tanh_c**2)
    di, df, dg, do = dc_total * g, dc_total * c_prev, dc_total * i, dh * tanh_c
    dc_prev = dc_total * f
    da_g = dg * (1 - g**2)
    da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)
    da = np.hstack([[da_i, da_f, da_g, da_o][k] for k in back])
    dx, dh_prev = da @ W_x.T, da @ W_h.T
    dW_x = x.T @ da
    dW_h = h_prev.T @ da
    db = da.sum(axis=0)
    return dx, dh_prev, dc_prev, dW_x, dW_h, db
""",
    also=(
        """
def lstm_step_backward(dh, dc, x, h_prev, c_prev, W_x, W_h, b):
    # no chain rule by hand: the complex step, one number after the other
    arguments = {"dx": x, "dh_prev": h_prev, "dc_prev": c_prev, "dW_x": W_x, "dW_h": W_h, "db": b}
    def loss(x, h_prev, c_prev, W_x, W_h, b):
        i, f, g, o = np.split(x @ W_x + h_prev @ W_h + b, 4, axis=1)
        c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
        return (dh * sigmoid(o) * np.tanh(c) + dc * c).sum()
    grads = {}
    for name, array in arguments.items():
        grads[name] = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            moved = array.astype(complex)
            moved[place] += 1e-30j
            grads[name][place] = loss(*{**arguments, name: moved}.values()).imag / 1e-30
    return grads
""",
        """
def lstm_step_backward(dh, dc, x, h_prev, c_prev, W_x, W_h, b):
    D, both = x.shape[1], np.hstack([x, h_prev])
    W = np.vstack([W_x, W_h])
    i, f, g, o = np.split(both @ W + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    t = np.tanh(f * c_prev + i * g)
    dc = dc + dh * o / np.cosh(f * c_prev + i * g) ** 2
    da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)])
    dboth, dW = da @ W.T, both.T @ da
    return dboth[:, :D], dboth[:, D:], dc * f, dW[:D], dW[D:], da.sum(0)
""",
    ),
    wrong=(
        ("c lacks what comes back through h", "dc + dh * o * (1 - tanh_c**2)", "dc"),
        ("c lacks what comes back along", "dc + dh", "dh"),
        ("only dc_prev lacks", "dc_prev = dc_total", "dc_prev = dc"),
        ("the forget gate is left out", "dc_total * f\n", "dc_total\n"),
        ("the output gate is left out", "dh * o *", "dh *"),
        ("the slope of the output tanh is 1 - tanh(c)^2, not", "tanh_c**2", "c**2"),
        ("the slope of the output tanh is left out", " * (1 - tanh_c**2)", ""),
        ("the slope of the candidate's tanh is 1 - g^2, not", "g**2", "a_g**2"),
        ("the slope of the candidate's tanh is left out", " * (1 - g**2)", ""),
        ("the sigmoid's slope stands", "(1 - g**2)", "g * (1 - g)"),
        (
            "the slopes of the sigmoids, such",
            " * i * (1 - i)",
            "",
            " * f * (1 - f)",
            "",
            " * o * (1 - o)",
            "",
        ),
        (
            "the slopes of the sigmoids are",
            "i * (1 - i)",
            "a_i * (1 - a_i)",
            "f * (1 - f)",
            "a_f * (1 - a_f)",
            "o * (1 - o)",
            "a_o * (1 - a_o)",
        ),
        (
            "tanh's slope stands",
            "i * (1 - i)",
            "(1 - i * i)",
            "f * (1 - f)",
            "(1 - f * f)",
            "o * (1 - o)",
            "(1 - o * o)",
        ),
        ("df is made of c", "dc_total * c_prev", "dc_total * c"),
        ("do is made of c", "dh * tanh_c", "dh * c"),
        (
            "i and g are exchanged",
            "dc_total * g, dc_total * c_prev, dc_total * i",
            "dc_total * i, dc_total * c_prev, dc_total * g",
        ),
        *orders("the gates are read and put together", "ifgo"),
        *(
            (words, "for k in back]", f"for k in {['ifgo'.index(gate) for gate in order]}]")
            for words, _, order in orders("the gates' gradients are put together", "ifgo")
            for order in [order.strip(" =").split(", ")]
        ),
        *FROM_A,
    ),
)

GRU_STEP_BACKWARD = Learner(
    """
def gru_step_backward(dh, x, h_prev, W_x, W_h, b, b_hn):
    r, z, n = 0, 1, 2
    back = np.argsort([r, z, n])
    xW = np.split(x @ W_x + b, 3, axis=1)
    hW = np.split(h_prev @ W_h, 3, axis=1)
    W_hn = np.split(W_h, 3, axis=1)[n]
    m = hW[n] + b_hn
    x_n, h_n = xW[n], hW[n]
    r, z = sigmoid(xW[r] + hW[r]), sigmoid(xW[z] + hW[z])
    a_n = x_n + r * m
    n = np.tanh(a_n)
    h = (1 - z) * n + z * h_prev
    dn = dh * (1 - z)
    dz = dh * (h_prev - n)
    da_n = dn * (1 - n**2)
    dm = da_n * r
    dr = da_n * m
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
    da = np.hstack([[da_r, da_z, da_n][k] for k in back])
    da_h = np.hstack([[da_r, da_z, dm][k] for k in back])
    dx = da @ W_x.T
    dh_prev = dh * z + da_h @ W_h.T
    dW_x = x.T @ da
    dW_h = h_prev.T @ da_h
    db, db_hn = da.sum(axis=0), dm.sum(axis=0)
    return dx, dh_prev, dW_x, dW_h, db, db_hn
""",
    also=(
        """
def gru_step_backward(dh, x, h_prev, W_x, W_h, b, b_hn):
    (x_r, x_z, x_n), (W_r, W_z, W_n) = np.split(x @ W_x + b, 3, axis=1), np.split(W_h, 3, axis=1)
    r, z = sigmoid(x_r + h_prev @ W_r), sigmoid(x_z + h_prev @ W_z)
    n = np.tanh(x_n + r * (h_prev @ W_n + b_hn))
    a_n = dh * (1 - z) * (1 - n) * (1 + n)
    a_r, a_z = a_n * (h_prev @ W_n + b_hn) * r * (1 - r), dh * (h_prev - n) * z * (1 - z)
    return {
        "dx": np.concatenate([a_r, a_z, a_n], axis=1) @ W_x.T,
        "dh_prev": z * dh + a_r @ W_r.T + a_z @ W_z.T + (a_n * r) @ W_n.T,
        "dW_x": np.concatenate([x.T @ a_r, x.T @ a_z, x.T @ a_n], axis=1),
        "dW_h": np.concatenate([h_prev.T @ a_r, h_prev.T @ a_z, h_prev.T @ (r * a_n)], axis=1),
        "db": [float(v) for a in (a_r, a_z, a_n) for v in a.sum(axis=0)],
        "db_hn": np.einsum("nh,nh->h", a_n, r),
    }
""",
    ),
    wrong=(
        ("dh_prev lacks the way past", "dh * z + da_h", "da_h"),
        ("dh_prev lacks the way through", " + da_h @ W_h.T", ""),
        (
            "z is flipped on the way back",
            "dh * (1 - z)",
            "dh * z",
            "dh * z + da_h",
            "dh * (1 - z) + da_h",
        ),
        ("dz has the wrong sign", "(h_prev - n)", "(n - h_prev)"),
        ("dz lacks h_prev", "(h_prev - n)", "-n"),
        ("the reset gate gets no gradient", "dr = da_n * m", "dr = 0 * m"),
        ("dr lacks b_hn", "dr = da_n * m", "dr = da_n * h_n"),
        ("dr is made of h_prev", "dr = da_n * m", "dr = h_prev * (da_n @ W_hn.T)"),
        ("r is left out on the way back", "dm = da_n * r", "dm = da_n"),
        ("only db_hn lacks r", "dm.sum(axis=0)", "da_n.sum(axis=0)"),
        ("the slope of the candidate's tanh is 1 - n^2, not", "n**2", "a_n**2"),
        ("the slope of the candidate's tanh is left out", " * (1 - n**2)", ""),
        ("the slopes of the sigmoids", " * r * (1 - r)", "", " * z * (1 - z)", ""),
        ("tanh's slope stands", "r * (1 - r)", "(1 - r * r)", "z * (1 - z)", "(1 - z * z)"),
        ("the candidate gets all of dh", "dn = dh * (1 - z)", "dn = dh"),
        *orders("the gates are read and put together", "rzn"),
        *(
            (words, "for k in back]", f"for k in {['rzn'.index(gate) for gate in order]}]")
            for words, _, order in orders("the gates' gradients are put together", "rzn")
            for order in [order.strip(" =").split(", ")]
        ),
        (
            "the gradients of the weights are averaged",
            "dW_x = ",
            "dW_x = 1 / len(x) * ",
            "dW_h = ",
            "dW_h = 1 / len(x) * ",
            "sum(axis=0)",
            "mean(axis=0)",
        ),
        ("the biases' gradients are not added up", ".sum(axis=0)", ""),
        ("dW_h is made of h", "h_prev.T @ da_h", "h.T @ da_h"),
    ),
)
