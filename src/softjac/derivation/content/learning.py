"""The rest of part 7: one gradient step, backpropagation, floating point, the Hessian."""

from collections.abc import Iterator
from decimal import Context, localcontext

from softjac.derivation.blocks import Block
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, fixed, floats
from softjac.derivation.content.pieces import (
    chain,
    exact,
    heading,
    left_out,
    plain,
    shortened,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Derivative, Multiply, Sum, Symbol, Transpose, Vector
from softjac.derivation.names import J, L, P, Y, by, delta, p, y, z
from softjac.derivation.numbers import printed
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

MOST_LISTED = 5


def blocks(point: Point | None) -> tuple[Block, ...]:
    """What the gradient is used for, and how it is computed."""
    return (
        heading("entropy_layer_title", 3, "cross-entropy-layer"),
        *layer(point),
        heading("entropy_float_title", 3, "cross-entropy-floating-point"),
        text("entropy_float"),
        text("entropy_float_after"),
        fixed(
            (
                "far, target = np.array([0.0, 800.0]), np.array([1.0, 0.0])",
                "q = softmax(far)",
                'with np.errstate(divide="ignore", invalid="ignore"):',
                "    print((-target / q) @ (np.diag(q) - np.outer(q, q)))",
                "print(q - target)",
            ),
            "[nan nan]\n[-1.  1.]",
        ),
        heading("entropy_hessian_title", 3, "cross-entropy-hessian"),
        text("entropy_hessian"),
        chain(
            Derivative(by(L, "j"), z("k")),
            (
                step(by(p("j") - y("j"), "k"), "gradient_known"),
                step(by(p("j"), "k"), "y_constant"),
                step(J("j", "k"), "definition_J"),
                step(p("j") * (delta("j", "k") - p("k")), "jacobian_entry"),
            ),
            point,
            free=("j", "k"),
        ),
        text("entropy_hessian_convex"),
    )


def layer(point: Point | None) -> tuple[Block, ...]:
    """The weights and the bias of the layer that makes the logits."""
    weight, into = Symbol("W", ("i", "l")), Symbol("a", ("l",))
    a_k, W_jk = Symbol("a", ("k",)), Symbol("W", ("j", "k"))
    free = ((weight, "W"), (into, "a"), (Symbol("b", ("i",)), "b"))
    made = Sum("l", weight * into) + Symbol("b", ("i",))
    return (
        text("entropy_layer", made=made),
        chain(
            Derivative(made, W_jk),
            (step(delta("i", "j") * a_k, "layer"),),
            point,
            free=("i", "j", "k"),
            given=free,
        ),
        text("entropy_layer_chain", dL=Derivative(L, W_jk)),
        chain(
            Sum("i", by(L, "i") * (delta("i", "j") * a_k)),
            (
                step(Sum("i", (p("i") - y("i")) * (delta("i", "j") * a_k)), "gradient_known"),
                step((p("j") - y("j")) * a_k, "pick"),
            ),
            point,
            free=("j", "k"),
            given=free,
        ),
        text(
            "entropy_layer_matrix",
            dLdW=(Derivative(L, Symbol("W")), " = ", Multiply((P - Y, Transpose(Vector("a"))))),
            below=Multiply((Transpose(Vector("W")), P - Y)),
        ),
        fixed(
            (
                "rng = np.random.default_rng(0)",
                "W, a, b = rng.normal(size=(3, 2)), rng.normal(size=2), np.zeros(3)",
                "target = np.eye(3)[1]",
                "def loss(W):",
                "    return -np.log(softmax(W @ a + b)[1])",
                "by_hand = np.outer(softmax(W @ a + b) - target, a)",
                "step = np.zeros((3, 2))",
                "step[2, 0] = 1e-6",
                "print(np.isclose((loss(W + step) - loss(W - step)) / 2e-6, by_hand[2, 0]))",
            ),
            "True",
        ),
    )


# ---------------------------------------------------------------------------------------------------- one gradient step


def step_taken(point: Point) -> Iterator[Block]:
    """Z - (p - y): the probabilities and the loss before and after."""
    assert point.label is not None
    k, here = point.label, facts(point)
    with localcontext(Context(prec=here.digits)):
        gradient = tuple(-here.complements[i] if i == k else here.probabilities[i] for i in range(point.n))
        moved = tuple(a - b for a, b in zip(point.logits, gradient, strict=True))
        after, rest = here.at(moved)
        before_loss, after_loss = -here.probabilities[k].ln(), -after[k].ln()
        # log(1 + d) for the share d by which p grows. Where both losses are printed alike d is below 1e-8, and is the
        # log to the digits shown; the difference of the logs of a p next to 1 would have lost it.
        fall = (here.complements[k] - rest[k]) / here.probabilities[k]
    classes = tuple(sorted({*shown_classes(point), k}))
    rows = [
        (str(i), exact(point.logits[i]), plain(moved[i]), plain(here.probabilities[i]), plain(after[i]))
        for i in classes
    ]
    header = ("class", (z("i"),), (z("i") - (p("i") - y("i")),), "entropy_p_before", "entropy_p_after")
    yield heading("entropy_step_title", 3, "cross-entropy-step")
    yield text("entropy_step")
    yield table("entropy_step_table", header, rows)
    yield from left_out(point, classes)
    yield from code(("print(softmax(z - (p - y)))",), point, (floats(after),))
    if point.n == 1:
        yield text("entropy_step_still")
        return
    if printed(plain(before_loss)) != printed(plain(after_loss)):
        yield text("entropy_step_loss", before=plain(before_loss), after=plain(after_loss), k=str(k))
    else:
        yield text("entropy_step_loss_near", before=plain(before_loss), fall=plain(fall), k=str(k))
    rising = [i for i in range(point.n) if i != k and after[i] > here.probabilities[i]]
    if rising:
        yield text("entropy_step_rising", classes=shortened([(str(i),) for i in rising], MOST_LISTED))
