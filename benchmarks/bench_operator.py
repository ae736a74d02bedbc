"""The operator: its closed forms for one row of a million classes, and for a batch against peers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from softjac import SoftmaxJacobian

from .case import Case, Figure, Goal, Outcome, Settings, duel
from .peers import Peers
from .timing import Call

MOST_VECTORS = 20  # of peak memory, for one row of a million classes
FLOOR = 0.5  # of the speed of a copy of the same bytes
DAMPING = 0.01
OURS, COPY = "softjac", "NumPy copyto, as many bytes"
JAX, LINEAR_OPERATOR = "JAX jit closed form", "linear_operator"
BY_HAND, DENSE = "NumPy closed form", "NumPy dense"
# Why a peer is not in a case although it is installed.
CANNOT = {
    "square root": f"{LINEAR_OPERATOR}: it factors the matrix itself, and above 800 classes cuts it to rank 100",
    "solve": f"{LINEAR_OPERATOR}: it has no pseudo-inverse, and its solve needs a matrix that is not singular",
}


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    yield from million(settings, peers)
    for n in (100, 1000) if settings.size != "quick" else (100,):
        for operation in operations():
            yield batch(settings, peers, operation, n)
        for what in ("product", "damped solve"):
            yield against_dense(settings, peers, what, n)
        yield eigenvalues(settings, peers, n)


# ------------------------------------------------------------------------------------- one row of a million classes


def million(settings: Settings, peers: Peers) -> Iterator[Case]:
    """Each operation beside a copy of the bytes that it has to move.

    A sum over the row has to be known before it can be used, so that an operation is some passes over its operands.
    What a pass moves is counted in vectors of n numbers that are read or written; the copy reads half of all that and
    writes the other half. Of the product only the least is counted, p and x read once and the result written.
    """
    (n,) = settings.shrink(1_000_000)

    def inputs() -> tuple[Any, Any, SoftmaxJacobian]:
        rng = np.random.default_rng(0)
        z, x = rng.standard_normal(n), rng.standard_normal(n)
        return z, x, SoftmaxJacobian(z)

    def construction() -> Call:
        z, _, _ = inputs()
        return lambda: SoftmaxJacobian(z)

    def product() -> Call:
        _, x, J = inputs()
        return lambda: J @ x

    def quad() -> Call:
        _, x, J = inputs()
        return lambda: J.quad(x)

    def solve() -> Call:
        _, x, J = inputs()
        return lambda: J.solve(x)

    def damped_solve() -> Call:
        _, x, J = inputs()
        return lambda: J.solve(x, DAMPING)

    def square_root() -> Call:
        _, x, J = inputs()
        F = J.sqrt_factor()
        return lambda: F @ x

    def cholesky() -> Call:
        _, _, J = inputs()
        return J.cholesky

    def cholesky_product() -> Call:
        _, x, J = inputs()
        L = J.cholesky()
        return lambda: L @ x

    def largest_eigenvalue() -> Call:
        _, _, J = inputs()
        return lambda: J.norm(2)

    # Passes, and the vectors that they move. Below, "p, x > y" reads p and x and writes y.
    named: tuple[tuple[str, Callable[[], Call], int, str], ...] = (
        ("construction", construction, 6, "z; z > p; p > p; p"),
        ("product", product, 3, "p, x > y"),
        ("quad", quad, 4, "p, x; p, x"),
        ("solve", solve, 6, "b; p, b > x; x > x"),
        ("damped solve", damped_solve, 6, "b; p, b; p, b > x"),
        ("square root product", square_root, 6, "p, x > y; p, y > y"),
        ("Cholesky factor", cholesky, 6, "p > G; p, G > pivot, c"),
        ("Cholesky product", cholesky_product, 5, "p, pivot, c, x > y"),
        ("norm(2)", largest_eigenvalue, 4, "p; p; p; p"),
    )
    for name, prepare, moved, passes in named:
        yield one_row(peers, name, prepare, n, moved, passes)


def one_row(peers: Peers, name: str, prepare: Callable[[], Call], n: int, moved: int, passes: str) -> Case:
    job = f"operator, {name}, float64, n = 1e6, {moved} vectors moved ({passes})"

    def build() -> dict[str, Call]:
        copied = np.random.default_rng(1).standard_normal(n * moved // 2)
        target = np.empty_like(copied)
        return {OURS: prepare(), COPY: lambda: np.copyto(target, copied)}

    vector = n * 8
    timed = duel(build, [Goal(job, OURS, COPY, FLOOR)], peers.missing, elements=n, moved_bytes=moved * vector)

    def measure(settings: Settings) -> Outcome:
        outcome = timed(settings)
        peak = outcome.times[OURS].get("peak_bytes")
        if peak is not None:
            used = peak / vector
            memory = Figure(job, f"{OURS}, peak memory", "a vector", used, used, used, "vectors", at_most=MOST_VECTORS)
            outcome.figures.append(memory)
        return outcome

    return Case(f"operator {name} float64 n = {n}", measure, threads=(1,))


# ------------------------------------------------------------------------------------------------- a batch and peers


Closed = Callable[[Any, Any, Any], Any]  # the module numpy or jax.numpy, p, x


def product_by_hand(xp: Any, p: Any, x: Any) -> Any:
    return p * x - p * xp.sum(p * x, -1, keepdims=True)


def quad_by_hand(xp: Any, p: Any, x: Any) -> Any:
    return xp.sum(p * x * x, -1) - xp.sum(p * x, -1) ** 2


def diagonal_by_hand(xp: Any, p: Any, x: Any) -> Any:
    del xp, x
    return p - p * p


def root_by_hand(xp: Any, p: Any, x: Any) -> Any:
    """As kfac-jax multiplies by the factor of the categorical Fisher information."""
    root = xp.sqrt(p)
    return root * x - p * xp.sum(root * x, -1, keepdims=True)


def damped_solve_by_hand(xp: Any, p: Any, x: Any) -> Any:
    """By Sherman and Morrison, whose denominator is a difference."""
    a = 1.0 / (p + DAMPING)
    scale = xp.sum(p * a * x, -1, keepdims=True) / (1.0 - xp.sum(p * a * p, -1, keepdims=True))
    return a * x + a * p * scale


def solve_by_hand(xp: Any, p: Any, x: Any) -> Any:
    c = (x - xp.mean(x, -1, keepdims=True)) / p
    return c - xp.mean(c, -1, keepdims=True)


Operation = tuple[str, Callable[[SoftmaxJacobian, Any], Any], Closed, Callable[[Any, Any], Any] | None]


def operations() -> tuple[Operation, ...]:
    """Name, how it is written with softjac, in closed form, and with linear_operator where that has it."""
    return (
        ("product", lambda J, x: J @ x, product_by_hand, lambda J, x: (J @ x[..., None])[..., 0]),
        ("quad", lambda J, x: J.quad(x), quad_by_hand, lambda J, x: (x * (J @ x[..., None])[..., 0]).sum(-1)),
        ("diagonal", lambda J, _: J.diagonal(), diagonal_by_hand, lambda J, _: J.diagonal()),
        ("square root product", root_product, root_by_hand, None),
        ("solve", lambda J, x: J.solve(x), solve_by_hand, None),
        ("damped solve", lambda J, x: J.solve(x, DAMPING), damped_solve_by_hand, linear_operator_solve),
    )


def root_product(J: SoftmaxJacobian, x: Any) -> Any:
    return J.sqrt_factor() @ x


def linear_operator_solve(J: Any, x: Any) -> Any:
    """Up to 800 classes it makes the matrix and factors it; for more it iterates."""
    return J.add_diagonal(x.new_tensor(DAMPING)).solve(x[..., None])[..., 0]


def batch(settings: Settings, peers: Peers, operation: Operation, full_n: int) -> Case:
    name, with_softjac, by_hand, with_linear_operator = operation
    rows, n = settings.shrink(256, full_n)
    job = f"operator, {name}, float64, 256 rows of {full_n}"
    goals = [Goal(job, OURS, JAX), Goal(job, OURS, BY_HAND)]
    if with_linear_operator is not None:
        goals.append(Goal(job, OURS, LINEAR_OPERATOR))

    def build() -> dict[str, Call]:
        J, x = rows_and_right_sides(rows, n)
        p = J.probs
        contenders: dict[str, Call] = {
            OURS: lambda: with_softjac(J, x),
            BY_HAND: lambda: by_hand(np, p, x),
        }
        if peers.jax is not None:
            jnp = peers.jax.numpy
            contenders[JAX] = peers.jax_call_float64(lambda p, x: by_hand(jnp, p, x), p, x)
        if with_linear_operator is not None and peers.linear_operator is not None:
            torch, operators = peers.torch, peers.linear_operator.operators
            assert torch is not None  # linear_operator needs it
            probs, operand = torch.from_numpy(p), torch.from_numpy(x)

            def with_theirs() -> Any:
                """On an operator made anew: it keeps what it has computed once."""
                theirs = operators.DiagLinearOperator(probs) - operators.RootLinearOperator(probs[..., None])
                return with_linear_operator(theirs, operand)

            contenders[LINEAR_OPERATOR] = with_theirs
        return contenders

    timed = duel(build, goals, peers.missing, elements=rows * n)

    def measure(settings: Settings) -> Outcome:
        outcome = timed(settings)
        outcome.skipped += [reason for start, reason in CANNOT.items() if name.startswith(start)]
        return outcome

    return Case(f"operator {name} float64 {rows} x {n}", measure, threads=(1,))


def rows_and_right_sides(rows: int, n: int) -> tuple[SoftmaxJacobian, Any]:
    rng = np.random.default_rng(0)
    return SoftmaxJacobian(rng.standard_normal((rows, n))), rng.standard_normal((rows, n))


def against_dense(settings: Settings, peers: Peers, name: str, full_n: int) -> Case:
    """Dense NumPy takes seconds a call for 1000 classes: a case by itself, of few rounds."""
    rows, n = settings.shrink(256, full_n)

    def dense_rows(p: Any, x: Any, function: Callable[[Any, Any], Any]) -> Any:
        """Row by row: all the matrices at once would be 2 GB for 1000 classes."""
        pairs = zip(p, x, strict=True)
        return np.stack([function(np.diag(p_row) - np.outer(p_row, p_row), row) for p_row, row in pairs])

    def build() -> dict[str, Call]:
        J, x = rows_and_right_sides(rows, n)
        p, damping = J.probs, DAMPING * np.eye(n)
        if name == "product":
            return {OURS: lambda: J @ x, DENSE: lambda: dense_rows(p, x, np.matmul)}
        return {
            OURS: lambda: J.solve(x, DAMPING),
            DENSE: lambda: dense_rows(p, x, lambda matrix, row: np.linalg.solve(matrix + damping, row)),
        }

    goals = [Goal(f"operator, {name}, float64, 256 rows of {full_n}", OURS, DENSE)]
    timed = duel(build, goals, peers.missing, elements=rows * n)

    def measure(settings: Settings) -> Outcome:
        return timed(replace(settings, effort=replace(settings.effort, least_rounds=2)))

    return Case(f"operator {name} float64 {rows} x {n}, dense", measure, threads=(1,))


def eigenvalues(settings: Settings, peers: Peers, full_n: int) -> Case:
    """One row, whose dense matrix is there."""
    (n,) = settings.shrink(full_n)
    job = f"operator, eigenvalues, float64, n = {full_n}"

    def build() -> dict[str, Call]:
        J = SoftmaxJacobian(np.random.default_rng(0).standard_normal(n))
        matrix = J.to_dense()
        return {OURS: J.eigvalsh, DENSE: lambda: np.linalg.eigvalsh(matrix)}

    measure = duel(build, [Goal(job, OURS, DENSE)], peers.missing, elements=n)
    return Case(f"operator eigenvalues float64 n = {n}", measure, threads=(1,))
