"""Derivatives of a single step."""

from learners import Learner

DTANH = Learner(
    "def dtanh(h):\n    return 1 - h**2",
    also=(
        "def dtanh(h):\n    return np.cosh(np.arctanh(h)) ** -2.0",
        "def dtanh(h):\n    return ((1 - h) * (1 + h)).tolist()",
    ),
    wrong=(
        ("h is the output already", "h**2", "np.tanh(h) ** 2"),
        ("the square is missing", "h**2", "h"),
        ("h (1 - h) is the slope", "1 - h**2", "h * (1 - h)"),
        ("the sign is wrong", "1 - h**2", "h**2 - 1"),
        ("this is tanh(h)", "1 - h**2", "np.tanh(h)"),
    ),
)

DSIGMOID = Learner(
    "def dsigmoid(y):\n    return y * (1 - y)",
    also=(
        "def dsigmoid(y):\n    return y - y**2",
        "def dsigmoid(y):\n    return (0.25 - (y - 0.5) ** 2).tolist()",
    ),
    wrong=(
        ("y is the output already", "y * (1 - y)", "sigmoid(y) * (1 - sigmoid(y))"),
        ("1 - y^2 is the slope of tanh", "y * (1 - y)", "1 - y**2"),
        ("1 - y is missing", "y * (1 - y)", "y"),
        ("y is missing", "y * (1 - y)", "1 - y"),
        ("the sign is wrong", "(1 - y)", "(y - 1)"),
    ),
)

CENTRAL_DIFFERENCE = Learner(
    """
def central_difference(f, w, eps):
    gradient = []
    w = w.copy()
    for k in range(len(w)):
        old = w[k]
        w[k] = old + eps
        ahead = f(w)
        w[k] = old - eps
        behind = f(w)
        w[k] = old
        gradient.append((ahead - behind) / (2 * eps))
    return gradient
""",
    also=(
        """
def central_difference(f, w, eps):
    return np.array([(f(w + e) - f(w - e)) / 2 / eps for e in eps * np.eye(len(w))])
""",
        """
def central_difference(f, w, eps):
    gradient = np.empty(len(w))
    for k in range(len(w)):
        old = w[k]
        w[k] += eps
        gradient[k] = f(w)
        w[k] -= 2 * eps
        gradient[k] -= f(w)
        w[k] += eps  # back again, but for rounding
    return gradient / (2 * eps)
""",
    ),
    wrong=(
        ("it is divided by eps", "/ (2 * eps)", "/ eps"),
        (
            "the difference is taken to one side only: f",
            "behind = f(w)",
            "behind = before",
            "    for k",
            "    before = f(w)\n    for k",
            "/ (2 * eps)",
            "/ eps",
        ),
        ("the difference is taken to one side only, and it", "old - eps", "old"),
        (
            "the difference is taken to one side only, backwards",
            "old + eps",
            "old",
            "/ (2 * eps)",
            "/ eps",
        ),
        ("it is not divided", " / (2 * eps)", ""),
        ("it is multiplied", "/ (2 * eps)", "* (2 * eps)"),
        ("the sign is wrong", "ahead - behind", "behind - ahead"),
        (
            "all components of w are moved",
            "    gradient = []",
            "    return (f(w + eps) - f(w - eps)) / (2 * eps)",
        ),
        ("a component is not put back", "        w[k] = old\n", ""),
    ),
)

JACOBIAN = Learner(
    """
def jacobian(h, W_h):
    slope = 1 - h**2
    J = slope[:, None] * W_h.T
    return J
""",
    also=(
        "def jacobian(h, W_h):\n    return np.diag(1 - h * h) @ W_h.T",
        "def jacobian(h, W_h):\n    H = range(len(h))\n    return [[(1 - h[a] ** 2) * W_h[b, a] for b in H] for a in H]",
    ),
    wrong=(
        ("J is transposed", "return J", "return J.T"),
        ("W_h is not transposed", "W_h.T", "W_h"),
        ("the slope belongs to the unit", "slope[:, None]", "slope"),
        ("the slope is left out", "slope[:, None] * ", ""),
        ("the slope of tanh is", "h**2", "h"),
        ("h is the output already", "h**2", "np.tanh(h) ** 2"),
        ("the slope stands on a diagonal", "slope[:, None]", "np.diag(slope)"),
    ),
)
