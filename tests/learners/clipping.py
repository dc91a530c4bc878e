"""Clipping by norm and by value."""

from learners import Learner

CLIP = Learner(
    """
def clip(grads, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    if norm <= max_norm:
        return grads
    return {name: g * max_norm / norm for name, g in grads.items()}
""",
    also=(
        """
def clip(grads, max_norm):
    whole = np.concatenate([g.ravel() for g in grads.values()])
    scale = min(1, max_norm / np.linalg.norm(whole))
    return {name: (scale * g).tolist() for name, g in grads.items()}
""",
        """
def clip(grads, max_norm):
    import copy
    grads, square = copy.deepcopy(grads), 0
    for g in grads.values():
        for number in g.flat:
            square += number * number
    for g in grads.values():
        g /= max(1, square**0.5 / max_norm)
    return grads
""",
    ),
    wrong=(
        (
            "this is clipping by value",
            "    norm =",
            "    return {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}\n    norm =",
        ),
        (
            "each array is clipped by its own",
            "    norm =",
            "    return {name: g * min(1, max_norm / np.linalg.norm(g)) for name, g in grads.items()}\n    norm =",
        ),
        ("a short gradient is made longer", "norm <= max_norm", "False"),
        ("nothing is clipped", "norm <= max_norm", "True"),
        ("the root is missing", "np.sqrt", ""),
        (
            "the norms of the arrays are added",
            "np.sqrt(sum((g**2).sum() for",
            "(sum(np.linalg.norm(g) for",
        ),
        ("the largest number stands", "np.sqrt(sum((g**2).sum() for", "(max(abs(g).max() for"),
        ("absolute values are added", "np.sqrt(sum((g**2).sum() for", "(sum(abs(g).sum() for"),
        ("max_norm is left out", "g * max_norm / norm", "g / norm"),
        ("it is multiplied by max_norm without", "g * max_norm / norm", "g * max_norm"),
        ("it is upside down", "g * max_norm / norm", "g * norm / max_norm"),
        ("a long gradient is thrown away", "g * max_norm / norm", "0 * g"),
    ),
)

CLIP_BY_VALUE = Learner(
    """
def clip_by_value(grads, limit):
    def cut(g):
        return np.clip(g, -limit, limit)
    return {name: cut(g) for name, g in grads.items()}
""",
    also=(
        """
def clip_by_value(grads, limit):
    return {name: np.minimum(np.maximum(grads[name], -limit), limit) for name in grads}
""",
        """
def clip_by_value(grads, limit):
    clipped = {}
    for name, g in grads.items():
        rows = np.atleast_2d(g).tolist()
        cut = [[min(max(number, -limit), limit) for number in row] for row in rows]
        clipped[name] = cut if g.ndim == 2 else cut[0]
    return clipped
""",
    ),
    wrong=(
        (
            "this is clipping by norm",
            "    def cut",
            "    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))\n    def cut",
            "np.clip(g, -limit, limit)",
            "g * min(1, limit / norm)",
        ),
        ("only large numbers are cut", "np.clip(g, -limit, limit)", "np.minimum(g, limit)"),
        ("only numbers below", "np.clip(g, -limit, limit)", "np.maximum(g, -limit)"),
        ("the sign is lost", "np.clip(g, -limit, limit)", "np.where(abs(g) > limit, limit, g)"),
        ("negative numbers become 0", "-limit", "0"),
        (
            "large numbers are thrown away",
            "np.clip(g, -limit, limit)",
            "np.where(abs(g) > limit, 0, g)",
        ),
        ("each array is scaled", "np.clip(g, -limit, limit)", "g / max(1, abs(g).max() / limit)"),
        ("nothing is clipped", "np.clip(g, -limit, limit)", "g"),
        ("every number becomes", "np.clip(g, -limit, limit)", "limit * np.sign(g)"),
    ),
)
