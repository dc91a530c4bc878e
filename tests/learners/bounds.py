"""Eigenvalues, singular values, and what they bound."""

from learners import Learner

SPECTRAL_RADIUS = Learner(
    "def spectral_radius(W):\n    return max(abs(np.linalg.eigvals(W)))",
    also=(
        "def spectral_radius(W):\n    values, _ = np.linalg.eig(W.T)\n    return float(np.sqrt((values * values.conj()).real.max()))",
        "def spectral_radius(W):\n    return np.linalg.norm(np.linalg.eigvals(W), np.inf)",
    ),
    wrong=(
        (
            "this is the largest singular value",
            "max(abs(np.linalg.eigvals(W)))",
            "np.linalg.svd(W)[1][0]",
        ),
        ("the absolute value is missing", "abs(np.linalg.eigvals(W))", "np.linalg.eigvals(W).real"),
        ("only the real part", "eigvals(W)", "eigvals(W).real"),
        (
            "this is the first eigenvalue",
            "max(abs(np.linalg.eigvals(W)))",
            "abs(np.linalg.eigvals(W)[0])",
        ),
        ("this is the smallest", "max(", "min("),
        ("the absolute values are added", "max(", "sum("),
        ("this is the Frobenius norm", "max(abs(np.linalg.eigvals(W)))", "np.sqrt((W**2).sum())"),
        ("this is the largest entry", "max(abs(np.linalg.eigvals(W)))", "abs(W).max()"),
        ("the eigenvalues are those of W^T W", "eigvals(W)", "eigvals(W.T @ W)"),
    ),
)

LARGEST_SINGULAR_VALUE = Learner(
    "def largest_singular_value(W):\n    s = np.linalg.svd(W)[1]\n    return s.max()",
    also=(
        "def largest_singular_value(W):\n    return np.linalg.norm(W, ord=2)",
        "def largest_singular_value(W):\n    return float(np.sqrt(max(np.linalg.eigvalsh(W @ W.T))))",
    ),
    wrong=(
        ("this is the spectral radius", "s.max()", "abs(np.linalg.eigvals(W)).max()"),
        ("the root is missing", "s.max()", "s.max() ** 2"),
        ("this is the Frobenius norm", "s.max()", "np.linalg.norm(W)"),
        ("this is the smallest", "s.max()", "s[-1]"),
        ("all singular values", "s.max()", "s"),
        ("the singular values are added", "s.max()", "s.sum()"),
        ("this is the largest entry", "s.max()", "abs(W).max()"),
        ("this is the largest sum along a row", "s.max()", "max(abs(row).sum() for row in W)"),
        ("this is the largest sum along a column", "s.max()", "np.linalg.norm(W, 1)"),
    ),
)

GRADIENT_BOUND = Learner(
    "def gradient_bound(W_h, bound, k):\n    size = np.linalg.norm(W_h, 2)\n    return (bound * size) ** k",
    also=(
        "def gradient_bound(W_h, bound, k):\n    return bound**k * np.linalg.svd(W_h)[1][0] ** k",
        "def gradient_bound(W_h, bound, k):\n    limit = 1.0\n    for _ in range(k):\n        limit *= bound * np.linalg.norm(W_h, 2)\n    return limit",
    ),
    wrong=(
        (
            "the spectral radius is no bound",
            "np.linalg.norm(W_h, 2)",
            "max(abs(np.linalg.eigvals(W_h)))",
        ),
        ("the slope's bound is left out", "bound * size", "size"),
        ("the slope's bound counts once", "(bound * size) ** k", "bound * size**k"),
        ("the factor is multiplied by k", "** k", "* k"),
        ("off by one: k - 1", "** k", "** (k - 1)"),
        ("off by one: k + 1", "** k", "** (k + 1)"),
        ("the Frobenius norm stands", "norm(W_h, 2)", "norm(W_h)"),
        ("it is divided by", "bound * size", "size / bound"),
    ),
)

HALF_LIFE = Learner(
    "def half_life(rate):\n    k = np.log(1 / 2) / np.log(rate)\n    return k",
    also=(
        "def half_life(rate):\n    import math\n    return math.log(0.5, rate)",
        "def half_life(rate):\n    return -1 / np.log2(rate)",
    ),
    wrong=(
        ("it is upside down", "np.log(1 / 2) / np.log(rate)", "np.log(rate) / np.log(1 / 2)"),
        ("the sign is wrong", "np.log(1 / 2)", "np.log(2)"),
        ("this is when 1/e", "np.log(1 / 2)", "-1"),
        ("half is not lost at an even", "np.log(1 / 2) / np.log(rate)", "(1 / 2) / (1 - rate)"),
        ("the logarithms have two bases", "np.log(1 / 2) / np.log(", "np.log2(1 / 2) / np.log10("),
        ("the result is rounded", "return k", "return np.ceil(k)"),
        ("the result is cut", "return k", "return int(k)"),
        ("this is what is left", "return k", "return rate / 2"),
    ),
)
