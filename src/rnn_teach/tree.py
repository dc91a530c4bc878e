"""The recursive network: one transition at every node of a tree, of which a sequence is a special case."""

import ast
from collections.abc import Hashable, Iterable
from typing import NamedTuple

import numpy as np

from .bptt import BPTT, LOSSES, Network, check_target
from .cells import checking
from .functional import ACTIVATIONS

# a node is a tuple (symbol, child, ...); anything else is a leaf and its own symbol
Tree = tuple | Hashable

SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "Pow": "**", "USub": "-", "UAdd": "+"}
OPERATORS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


class TreeTrace(NamedTuple):
    """Everything a forward pass computed, for the M nodes of all trees.

    The nodes of a tree stand in the order in which you can fold it: children before their parent,
    left before right, the root last. The trees follow one another.
    """

    symbol: np.ndarray  # (M,) the number of each node's symbol
    children: np.ndarray  # (M, P) the numbers of each node's children, -1 where there is none
    depth: np.ndarray  # (M,) steps from the root down to the node
    h_children: np.ndarray  # (M, P, H), zeros where there is no child
    h: np.ndarray  # (M, H)

    @property
    def final(self) -> np.ndarray:
        """h at the root of each tree (N, H): what the network makes of the whole tree."""
        return self.h[self.depth == 0]


class Recursive:
    """h_n = f(x_n W_x + sum_k h_child(n,k) W_h[k] + b) at every node n, where f is `nonlinearity`.

    x_n is the symbol of node n, one-hot, so x_n W_x is a row of W_x: the embedding of the symbol.
    The k-th child is multiplied by W_h[k], so left and right differ; a child that is not there
    counts as zeros, so any number of children up to P will do. A chain, in which every node has
    one child, is an RNN that reads from the leaf to the root: same names, same weights, P = 1.

    Parameters: W_x (D, H), W_h (P, H, H), uniform in +-1/sqrt(H); b (H,), zero.
    Arguments: symbols, the D different symbols of the nodes; H; rng, where the weights come from;
    arity, P, the most children a node may have; nonlinearity, a name in `functional.ACTIVATIONS`.
    Raises TypeError or ValueError naming the argument.
    Source: Goller & Kuechler 1996; Goodfellow, Bengio & Courville 2016, section 10.6.

    >>> layer = Recursive(["+", "*", 1, 2, 3], 4, rng=np.random.default_rng(0))
    >>> trace = layer.forward([("+", 1, ("*", 2, 3)), 2])  # two trees, the second is a leaf
    >>> [layer.symbols[k] for k in trace.symbol]
    [1, 2, 3, '*', '+', 2]
    >>> trace.depth
    array([1, 2, 2, 1, 0, 0])
    >>> grads = layer.backward(trace, np.zeros((6, 4)), dstate=np.ones((2, 4)))
    >>> grads["W_h"].shape, grads["h"].shape
    ((2, 4, 4), (6, 4))
    """

    def __init__(
        self,
        symbols: Iterable[Hashable],
        H: int,
        *,
        rng: np.random.Generator,
        arity: int = 2,
        nonlinearity: str = "tanh",
    ):
        self.symbols = tuple(symbols)
        if not self.symbols or len(set(self.symbols)) < len(self.symbols):
            raise ValueError(f"symbols: expected symbols, each once, got {self.symbols!r}")
        self.D, self.H = len(self.symbols), checking.size("H", H)
        self.arity = checking.size("arity", arity)
        self.nonlinearity = checking.choice("nonlinearity", nonlinearity, ACTIVATIONS)
        k = 1 / np.sqrt(H)
        self.W_x = checking.generator(rng).uniform(-k, k, (self.D, H))
        self.W_h = rng.uniform(-k, k, (arity, H, H))
        self.b = np.zeros(H)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        D, H = self.D, self.H
        return {"W_x": (D, H), "W_h": (self.arity, H, H), "b": (H,)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the layer has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(self, trees: list[Tree]) -> TreeTrace:
        """h_n = f(x_n W_x + sum_k h_child(n,k) W_h[k] + b) for every node, leaves first.

        All nodes of one depth, in all trees, are one batch: what a node needs is one deeper.

        Arguments: trees, a list of N: nested tuples (symbol, child, ...), where a leaf may stand
        without its parentheses, or `ast` nodes.
        Returns a `TreeTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> layer = Recursive("abc", 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> layer.W_x[:], layer.W_h[:] = [[1], [2], [4]], [[[0.5]], [[0.25]]]
        >>> layer.forward([("a", "b", "c")]).h.ravel()  # the root: 1 + 2/2 + 4/4
        array([2., 4., 3.])
        """
        symbol, children, depth = self._number(trees)
        p = checking.shaped_parameters(self)
        dtype = checking.working_dtype(self.W_x, p.values())
        W_x, W_h, b = (q.astype(dtype, copy=False) for q in p.values())
        (M, P), H = children.shape, self.H
        W_h = W_h.reshape(P * H, H)
        f = ACTIVATIONS[self.nonlinearity].value

        # x_n W_x + b needs no state, so it is there for all nodes at once
        a = W_x[symbol] + b
        h = np.zeros((M + 1, H), dtype)  # h[-1] stays zero: the child that is not there
        h_children = np.empty((M, P, H), dtype)
        for level in _levels(depth):
            h_children[level] = h[children[level]]
            h[level] = f(h_children[level].reshape(-1, P * H) @ W_h + a[level])
        return TreeTrace(symbol, children, depth, h_children, h[:-1])

    def backward(
        self, trace: TreeTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through structure.

        One unit: h_n = f(a_n), a_n = u_n + w_1 h_left + w_2 h_right + b. A node has one parent, so
        h_left reaches L directly (that part is `dh`) and through its parent n, and in no other way:

            dL/dh_left = dh[left] + dL/dh_n f'(a_n) w_1
            dL/da_n    = dL/dh_n f'(a_n)

        This is the RNN's backward step, with the parent where the RNN has the next step: error
        that reaches a node has been multiplied as often as the node is deep. All nodes share w_1,
        so its gradient is a sum over the nodes: dL/dw_1 = sum_n dL/da_n h_left(n).

        Arguments: trace, from `forward`; dh (M, H), how L depends directly on each node's h;
        dstate (N, H), how L depends on `trace.final`, zeros when None.
        Returns dL by name: "W_x", "W_h", "b" and "h" (M, H), the total dL/dh of every node.
        Raises TypeError or ValueError naming the argument.
        Source: Goller & Kuechler 1996.

        >>> layer = Recursive("abc", 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> layer.W_h[:] = [[[0.5]], [[0.25]]]
        >>> trace = layer.forward([("a", ("a", "b", "c"), "c")])
        >>> layer.backward(trace, np.zeros((5, 1)), [[1]])["h"].ravel()  # b, c, a, c, root
        array([0.25 , 0.125, 0.5  , 0.25 , 1.   ])
        """
        if not isinstance(trace, TreeTrace):
            raise TypeError(f"trace: expected TreeTrace, got {type(trace).__name__}")
        (M, H), P = trace.h.shape, self.arity
        roots = trace.depth == 0
        dh = checking.numbers("dh", dh, M=M, H=H)
        if dstate is None:
            dstate = np.zeros((roots.sum(), H), dh.dtype)
        dstate = checking.numbers("dstate", dstate, N=roots.sum(), H=H)
        dtype = checking.working_dtype(trace.h, (dh, dstate))
        W_h = checking.shaped_parameters(self)["W_h"].astype(dtype, copy=False).reshape(P * H, H)

        # every local slope first: none of them depends on the gradient
        da = ACTIVATIONS[self.nonlinearity].slope(trace.h).astype(dtype, copy=False)

        # then the chain, from the roots down: dh[n] grows into the total dL/dh_n, and dh[-1]
        # takes what goes to children that are not there
        dh = np.concatenate([dh, np.zeros((1, H))]).astype(dtype, copy=False)
        dh[:-1][roots] += dstate
        for level in reversed(_levels(trace.depth)):
            da[level] *= dh[level]
            dh[trace.children[level]] += (da[level] @ W_h.T).reshape(-1, P, H)

        # the weights are shared by all nodes, so one product adds up their M contributions
        dW_x = np.zeros((self.D, H), dtype)
        np.add.at(dW_x, trace.symbol, da)
        return {
            "W_x": dW_x,
            "W_h": (trace.h_children.reshape(M, P * H).T @ da).reshape(P, H, H),
            "b": da.sum(axis=0),
            "h": dh[:-1],
        }

    def _number(self, trees: list[Tree]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """symbol, children and depth of a `TreeTrace`, all nodes checked."""
        if not isinstance(trees, list):
            raise TypeError(f"trees: expected a list of trees, got {type(trees).__name__}")
        if not trees:
            raise ValueError("trees: expected at least one tree, got none")
        code = {symbol: k for k, symbol in enumerate(self.symbols)}
        # Parents first and right before left: the reverse of the order of a TreeTrace. A stack of
        # our own, because Python's is too short for a chain of a thousand nodes.
        seen, links = [], []
        stack = [(tree, 0, None, 0) for tree in trees]
        while stack:
            tree, depth, parent, position = stack.pop()
            symbol, children = _parts(tree)
            if not isinstance(symbol, Hashable) or symbol not in code:
                raise ValueError(f"trees: expected symbols of {self.symbols}, got {symbol!r}")
            if len(children) > self.arity:
                raise ValueError(
                    f"trees: expected at most arity={self.arity} children, "
                    f"got {len(children)} under {symbol!r}"
                )
            if parent is not None:
                links.append((parent, position, len(seen)))
            stack += [(child, depth + 1, len(seen), k) for k, child in enumerate(children)]
            seen.append((code[symbol], depth))

        M = len(seen)
        symbol, depth = np.array(seen[::-1]).T
        children = np.full((M, self.arity), -1)
        for parent, position, child in links:
            children[M - 1 - parent, position] = M - 1 - child
        return symbol, children, depth


def _parts(tree: Tree) -> tuple[object, list | tuple]:
    """The symbol at the root of a tree, and the trees below it."""
    if isinstance(tree, ast.Expression):
        tree = tree.body
    if isinstance(tree, ast.AST):
        parts = list(ast.iter_child_nodes(tree))
        operators = [type(part).__name__ for part in parts if isinstance(part, OPERATORS)]
        children = [part for part in parts if isinstance(part, ast.expr)]
        if operators:
            return " ".join(SIGNS.get(name, name) for name in operators), children
        name = getattr(tree, "value" if isinstance(tree, ast.Constant) else "id", None)
        return (type(tree).__name__ if name is None else name), children
    if not isinstance(tree, tuple):
        return tree, ()
    if not tree or isinstance(tree[0], tuple):
        raise ValueError(f"trees: expected tuples (symbol, child, ...), got {tree!r}")
    return tree[0], tree[1:]


def _levels(depth: np.ndarray) -> list[np.ndarray]:
    """The numbers of the nodes of each depth, the deepest first."""
    ends = np.cumsum(np.bincount(depth))[:-1]
    return np.split(np.argsort(depth, kind="stable"), ends)[::-1]


def labeled(tree: Tree, symbol: Hashable) -> Tree:
    """A tree of bare tuples (child, ...) with the same `symbol` written at every inner node.

    >>> labeled((("the", "cat"), "sat"), "+")
    ('+', ('+', 'the', 'cat'), 'sat')
    """
    if not isinstance(tree, tuple):
        return tree
    return (symbol, *(labeled(child, symbol) for child in tree))


def bpts(
    network: Network,
    trees: list[Tree],
    target: np.ndarray,
    *,
    loss: str = "cross_entropy",
    state: None = None,
    lengths: None = None,
) -> BPTT:
    """Backpropagation through structure: up to the roots, a loss there, and back down.

        L = 1/N sum_n L_n(y_n, target_n)        y = h_root W_y + b_y

    Arguments: network, a `Network` of a `Recursive` and a `Readout`; trees, a list of N; target
    (N,) integers for "cross_entropy", (N, K) numbers for "squared_error"; state and lengths, None:
    a tree has neither, they are here so that `training.fit` can use this in the place of `bptt`.
    Returns `BPTT`: loss, y (N, K), trace and grads, named as network.parameters, and "h" (M, H).
    Raises TypeError or ValueError naming the argument, FloatingPointError for a loss that is not
    finite: training has diverged.
    Source: Goller & Kuechler 1996.

    >>> from rnn_teach.bptt import Readout
    >>> rng = np.random.default_rng(0)
    >>> network = Network(Recursive("+123", 4, rng=rng), Readout(4, 10, rng=rng))
    >>> result = bpts(network, [("+", "1", "2"), ("+", ("+", "1", "1"), "2")], np.array([3, 4]))
    >>> result.y.shape, list(result.grads)[:3], result.grads["h"].shape
    ((2, 10), ['cell.W_x', 'cell.W_h', 'cell.b'], (8, 4))
    """
    measure = LOSSES[checking.choice("loss", loss, LOSSES)]
    if state is not None or lengths is not None:
        name, value = ("lengths", lengths) if state is None else ("state", state)
        raise TypeError(f"{name}: expected None, as a tree has none, got {type(value).__name__}")
    trace = network.cell.forward(trees)
    y = network.readout.forward(trace.final)
    target = check_target(target, y, loss)
    value, dy = measure(y, target, np.full(len(y), 1 / len(y)))
    if not np.isfinite(value):
        raise FloatingPointError(f"loss: expected a finite number, got {value}")
    readout = network.readout.backward(trace.final, dy)
    cell = network.cell.backward(trace, np.zeros_like(trace.h), readout["h"])
    grads = {f"cell.{name}": cell.pop(name) for name in network.cell.parameters}
    grads |= {f"readout.{name}": readout[name] for name in network.readout.parameters}
    return BPTT(value, y, trace, grads | cell)
