"""Mistakes that cost digits, or make inf and NaN: in the logarithm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.plain_calls import OF_LOGITS
from softjac.check.mistakes.recipe import (
    ALL_KINDS,
    GRADIENTS,
    LOSSES,
    WITH_JACOBIAN,
    WITH_LOGARITHM,
    Situation,
    by_logits,
    shifted_softmax,
)
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array, Level

_WITHOUT_LOG = ("softmax", "softmax_jacobian", "softmax_vjp", "logsumexp")


def _rounded_quotient(decimals: int) -> dict[str, Any]:
    def softmax(z: Array) -> Array:
        e = np.round(np.exp(z), decimals)
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    return {"softmax": softmax, "by_logsumexp": False}


def _rounded_probabilities(decimals: int, *, on_the_way: bool = True) -> dict[str, Any]:
    def rounded(p: Array) -> Array:
        return np.round(p, decimals)

    def softmax(z: Array) -> Array:
        return np.round(shifted_softmax(z), decimals)

    return {"softmax": softmax, "on_probs": rounded, "by_logsumexp": not on_the_way}


def _roundings() -> Iterator[Variant]:
    after = WITH_JACOBIAN | WITH_LOGARITHM
    for decimals in (4, 3, 2, 1):
        digits = f"{decimals} decimal{'s' * (decimals > 1)}"
        yield Variant(_rounded_probabilities(decimals), kinds=after, detail=f"Here the probabilities have {digits}.")
    for decimals in (4, 3, 2, 1):
        digits = f"{decimals} decimal{'s' * (decimals > 1)}"
        yield Variant(
            _rounded_quotient(decimals),
            kinds=after | {"softmax"},
            detail=f"Here the exponentials have {digits}.",
        )


ROUNDED = Mistake(
    name="rounded-before-product",
    title="rounded before the product",
    why="intermediate numbers are rounded, and then multiplied or divided, so that their rounding errors are in the "
    "result, larger than its last decimal. Only the last step may round.",
    kinds=WITH_JACOBIAN | WITH_LOGARITHM | {"softmax"},
    level="exercise",
    layer="softmax",
    experiment="print(repr(p))   # the numbers that the formula takes: how many digits have they?",
    fix="Keep all digits on the way, and round the result: np.round(J, 4).",
    variants=tuple(_roundings()),
)

EPSILONS = (
    1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-18, 1e-20,
    1e-30, 1e-37, 1e-38, 1e-40, 1e-45, 1e-50, 1e-100, 1e-200, 1e-300, 1e-307, 1e-308,
    float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny), float(np.finfo(np.float32).eps),
    float(np.finfo(np.float32).tiny), 5e-324,
)  # fmt: skip
"""Of 10 to a power, and the constants that people take: finfo.eps and finfo.tiny of float64 and float32."""


def _product(log_p: Array, _p: Array, y: Array) -> Array:
    """-sum(y * log p), where 0 * -inf is NaN."""
    return np.asarray(-(y * log_p).sum(axis=-1))


def _quotient(p: Array, y: Array) -> Array:
    """-y/p, where 0/0 is NaN."""
    return np.asarray(-y / p)


def _by_probs(s: Situation) -> bool:
    return s.given_probs


_WHERE_P_IS_0 = "Here it is -y/p, where p is 0."


def _cap(eps: float) -> str:
    return f"Here it is {eps:.3g}: -log(p) is never more than -log({eps:.3g}) = {-np.log(eps):.1f}."


LOG_OF_ZERO = Mistake(
    name="log-of-zero",
    title="logarithm of 0",
    why="a probability below 5e-324 is rounded to 0, and log(0) is -inf; 0 * -inf and 0/0 are NaN. log(softmax(z)) is "
    "z - logsumexp(z), which never takes the logarithm of a small number.",
    kinds=WITH_LOGARITHM | GRADIENTS,
    level="stable",
    layer="formula",
    experiment="print(f(np.array([0.0, 800.0]), 0))   # the loss should be 800",
    experiments={
        "log_softmax": "print(f(np.array([0.0, 800.0])))   # should be -800 and 0",
        "cross_entropy_grad": "print(f(np.array([0.0, 800.0]), 0))   # should be -1 and 1",
    },
    experiments_by_probs=dict.fromkeys(GRADIENTS, "print(f(np.array([0.0, 1.0]), 1))   # should be 0 and -1: no NaN"),
    fix="m = z.max(axis=-1, keepdims=True)\nlog_p = z - m - np.log(np.exp(z - m).sum(axis=-1, keepdims=True))",
    fixes={"cross_entropy_grad": "grad = p - y   # no division by p"},
    variants=(
        Variant({"by_logsumexp": False}, kinds=WITH_LOGARITHM),
        Variant({"by_logsumexp": False, "value": _product}, kinds=LOSSES),
        Variant({"slope": _quotient}, kinds=GRADIENTS, applies=_by_probs, detail=_WHERE_P_IS_0),
        Variant({"through": "g @ J"}, kinds=GRADIENTS, applies=by_logits, detail=_WHERE_P_IS_0),
        Variant({"through": "g @ J", "slope": _quotient}, kinds=GRADIENTS, applies=by_logits, detail=_WHERE_P_IS_0),
        Variant({"by_logsumexp": False, "through": "g @ J"}, kinds=LOSSES & GRADIENTS),
        Variant({"by_logsumexp": False, "through": "g @ J", "slope": _quotient}, kinds=LOSSES & GRADIENTS),
        Variant(
            {"by_logsumexp": False, "value": _product, "through": "g @ J", "slope": _quotient}, kinds=LOSSES & GRADIENTS
        ),
    ),
)


def _plus(eps: float) -> Callable[[Array], Array]:
    return lambda p: np.asarray(np.log(p + eps))


def _slope_plus(eps: float) -> Callable[[Array, Array], Array]:
    return lambda p, y: np.asarray(-y / (p + eps))


def _sum_plus(eps: float) -> Callable[[Array], Array]:
    def softmax(z: Array) -> Array:
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / (e.sum(axis=-1, keepdims=True) + eps))

    return softmax


def _each_plus(eps: float, *, below: bool) -> dict[str, Any]:
    """Added to every exponential. below: in the sum as well."""

    def softmax(z: Array) -> Array:
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray((e + eps) / (e + eps if below else e).sum(axis=-1, keepdims=True))

    return {"softmax": softmax, "by_logsumexp": False}


def _result_plus(eps: float) -> dict[str, Any]:
    return {"softmax": lambda z: shifted_softmax(z) + eps, "by_logsumexp": False}


def _lse_plus(eps: float) -> Callable[[Array], Array]:
    def logsumexp(z: Array) -> Array:
        m = z.max(axis=-1, keepdims=True)
        return np.asarray(np.log(np.exp(z - m).sum(axis=-1) + eps) + m[..., 0])

    return logsumexp


def _from(shows: bool) -> Level:
    """The level of a variant that shows in four decimals of ordinary numbers, or not."""
    return "exercise" if shows else "stable"


_OF_P = frozenset({"softmax", "softmax_jacobian", "softmax_vjp"})


def _epsilons() -> Iterator[Variant]:
    for eps in EPSILONS:
        in_log = {"log": _plus(eps), "by_logsumexp": False}
        slope = {"slope": _slope_plus(eps)}
        through = {**slope, "through": "g @ J"}
        of_slope = f"Here it is -y / (p + {eps:.3g})."
        level = _from(eps > 1e-9)
        both = LOSSES & GRADIENTS
        yield Variant(in_log, WITH_LOGARITHM, detail=_cap(eps), level=level, size=eps)
        yield Variant({**in_log, "value": _product}, LOSSES, detail=_cap(eps), level=level, size=eps)
        yield Variant(slope, GRADIENTS, _by_probs, detail=of_slope, level=level)
        yield Variant(through, GRADIENTS, by_logits, detail=of_slope, level=level)
        yield Variant({**in_log, **slope}, both, detail=_cap(eps), level=level, size=eps)
        yield Variant({**in_log, **through}, both, by_logits, detail=_cap(eps), level=level, size=eps)
        if 1e-12 < eps < 0.2:
            yield Variant(
                {"softmax": _sum_plus(eps), "logsumexp": _lse_plus(eps)},
                detail=f"Here {eps:.3g} is added to the sum of the exponentials.",
                level=level if eps > 1e-5 else "exact",
            )
            level = "exercise" if eps > 1e-5 else "exact"
            of_each = f"Here {eps:.3g} is added to every exponential."
            yield Variant(_each_plus(eps, below=True), _OF_P, detail=of_each, level=level)
            of_each = f"Here {eps:.3g} is added to every exponential above the line."
            yield Variant(_each_plus(eps, below=False), _OF_P, detail=of_each, level=level)
            yield Variant(_result_plus(eps), _OF_P, detail=f"Here {eps:.3g} is added to every p.", level=level)


_OF_LARGE_LOSS = {
    "log_softmax": "print(log_softmax(np.array([0.0, 80.0])))   # should be -80 and 0",
    "cross_entropy_grad": "print(grad(np.array([0.0, 80.0]), 0))   # should be -1 and 1",
}
_OF_SMALL_P = {
    "cross_entropy": "print(loss(np.array([1e-30, 1.0]), 0))   # should be 69.0776",
    "cross_entropy_grad": "print(grad(np.array([1e-30, 1.0]), 0))   # should be -1e30 and 0",
    "cross_entropy_value_and_grad": "print(value_and_grad(np.array([1e-30, 1.0]), 0))   # the loss should be 69.0776",
}

EPSILON = Mistake(
    name="epsilon",
    title="an epsilon in the logarithm or the quotient",
    why="log(p + eps) is not inf at p = 0, but it is a wrong number: the loss is capped at -log(eps), however wrong "
    "the prediction, and every other loss is a little too small.",
    kinds=ALL_KINDS,
    level="stable",
    layer="formula",
    experiment="print(loss(np.array([0.0, 800.0]), 0))   # should be 800",
    fix="Take the logarithm from the logits: log_p = z - logsumexp(z). It needs no epsilon.",
    experiments_by_probs=_OF_SMALL_P,
    fix_by_probs="Leave it out: -log(p) and -y/p need no epsilon where p > 0. Where p may be 0, take logits instead.",
    whys=dict.fromkeys(
        _WITHOUT_LOG,
        "an epsilon is to keep a denominator from 0, which it never is once the maximum is subtracted (the sum is at "
        "least 1). All that it does is to make every number a little wrong.",
    ),
    experiments={
        "softmax": "print(*f(np.array([0.0, 1.0])))   # should be 0.2689414213699951 and 0.7310585786300049",
        "logsumexp": "print(f(np.array([0.0, 1.0])))   # should be 1.3132616875182228",
        "softmax_jacobian": OF_LOGITS["softmax_jacobian"],
        "softmax_vjp": OF_LOGITS["softmax_vjp"],
        **_OF_LARGE_LOSS,
    },
    fixes=dict.fromkeys(
        _WITHOUT_LOG, "e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)"
    ),
    variants=tuple(_epsilons()),
)


def _log_of_clipped(low: float, high: float) -> Callable[[Array], Array]:
    return lambda p: np.asarray(np.log(np.clip(p, low, high)))


def _slope_of_clipped(low: float, high: float) -> Callable[[Array, Array], Array]:
    return lambda p, y: np.asarray(-y / np.clip(p, low, high))


def _slope_that_stops(low: float, high: float) -> Callable[[Array, Array], Array]:
    """As autograd has it: beyond the bounds a clip is a constant, and its slope is 0."""
    return lambda p, y: np.asarray(np.where((p < low) | (p > high), 0.0, -y / np.clip(p, low, high)))


def _clipped_softmax(low: float, high: float) -> dict[str, Any]:
    return {"softmax": lambda z: np.clip(shifted_softmax(z), low, high), "on_probs": lambda p: np.clip(p, low, high)}


def _clipped_logits(bound: float, *, after_shift: bool) -> Callable[[Array], Array]:
    def logits(z: Array) -> Array:
        shift = z.max(axis=-1, keepdims=True) if after_shift else 0.0
        return np.asarray(np.clip(z - shift, -bound, bound) + shift)

    return logits


def _clips() -> Iterator[Variant]:
    for eps in EPSILONS:
        for high in (np.inf, 1 - eps) if 1 - eps < 1 else (np.inf,):
            log = {"log": _log_of_clipped(eps, high), "by_logsumexp": False}
            slope = {"slope": _slope_of_clipped(eps, high)}
            through = {**slope, "through": "g @ J"}
            of_slope = f"Here it is -y / p with p at least {eps:.3g}."
            level = _from(eps > 1e-9)
            both = LOSSES & GRADIENTS
            yield Variant(log, WITH_LOGARITHM, detail=_cap(eps), level=level, size=eps)
            yield Variant(slope, GRADIENTS, _by_probs, detail=of_slope, level=level)
            yield Variant(through, GRADIENTS, by_logits, detail=of_slope, level=level)
            yield Variant({**log, **slope}, both, _by_probs, detail=_cap(eps), level=level, size=eps)
            yield Variant({**log, **through}, both, by_logits, detail=_cap(eps), level=level, size=eps)
            stops = {"slope": _slope_that_stops(eps, high), "through": "g @ J"}
            of_stop = "Beyond the clip the gradient is 0: nothing is learned from the worst predictions."
            yield Variant(stops, GRADIENTS, by_logits, detail=of_stop, level=level)
            yield Variant({**log, **stops}, both, by_logits, detail=f"{_cap(eps)} {of_stop}", level=level, size=eps)
            yield Variant(
                {**_clipped_softmax(eps, high), "by_logsumexp": False},
                WITH_LOGARITHM | WITH_JACOBIAN | {"softmax"},
                detail=f"Here every probability is at least {eps:.3g}.",
                level=level,
            )
    for bound in (10.0, 20.0, 30.0, 50.0, 80.0, 88.0, 100.0, 200.0, 250.0, 300.0, 500.0, 600.0, 700.0, 709.0):
        for after in (False, True):
            steps = {"logits": _clipped_logits(bound, after_shift=after)}
            detail = f"Here the logits{' after the shift' * after} are clipped at {bound:g}."
            yield Variant(steps, detail=detail, level=_from(bound < 15))
            yield Variant({**steps, "by_logsumexp": False}, WITH_LOGARITHM, detail=detail, level=_from(bound < 15))


CLIP = Mistake(
    name="clip",
    title="a clip of the probabilities or the logits",
    why="np.clip(p, eps, 1 - eps) keeps the logarithm from inf, but what lies beyond is one number: the loss is capped "
    "at -log(eps), and all worse predictions are alike.",
    kinds=ALL_KINDS,
    level="stable",
    layer="formula",
    experiment="print(loss(np.array([0.0, 80.0]), 0), loss(np.array([0.0, 800.0]), 0))   # should be 80 and 800",
    fix="Take the logarithm from the logits: log_p = z - logsumexp(z). It needs no clip.",
    experiments_by_probs=_OF_SMALL_P,
    fix_by_probs="Leave it out: -log(p) and -y/p need no clip where p > 0. Where p may be 0, take logits instead.",
    whys=dict.fromkeys(
        _WITHOUT_LOG,
        "what lies beyond the bounds of a clip is one number, and different inputs have the same answer. "
        "Subtracting the largest logit is what keeps exp in range, and it changes nothing.",
    ),
    experiments={
        "softmax": "print(f(np.array([1000.0, 1002.0])))   # should be 0.1192 and 0.8808",
        "logsumexp": "print(f(np.array([1000.0, 1002.0])))   # should be 1002.1269",
        "softmax_jacobian": "print(f(np.array([1000.0, 1002.0])))   # should be 0.1050 and -0.1050",
        "softmax_vjp": "print(f(np.array([1000.0, 1002.0]), np.array([1.0, 0.0])))   # should be 0.1050 and -0.1050",
        **_OF_LARGE_LOSS,
    },
    fixes=dict.fromkeys(_WITHOUT_LOG, "e = np.exp(z - z.max(axis=-1, keepdims=True))   # no clip"),
    variants=tuple(_clips()),
)


NAN_AT_MINUS_INFINITY = Mistake(
    name="nan-at-minus-infinity",
    title="NaN where a logit is -inf",
    why="-inf is how a class is masked: its probability is exactly 0, and all else is as without it. NaN comes of "
    "-inf - (-inf), of 0 * -inf (a product of a target 0 with log 0), or of a mean over the logits.",
    kinds=ALL_KINDS,
    level="stable",
    layer="behaviour",
    experiment="print(0.0 * -np.inf, -np.inf - -np.inf)",
    fix="Subtract the maximum (not the mean or the minimum), and leave out of a sum what has the factor 0: "
    "np.where(y == 0, 0, y * log_p).",
    variants=(Variant({"value": _product}, kinds=LOSSES, detail="Here it is 0 * log p, where log p is -inf."),),
)

TAIL_LOST = Mistake(
    name="tail-lost",
    title="the tail is lost",
    why="next to 1 a number below 1.1e-16 is rounded away: 1 - p, p - 1 and log(p) of a confident row are 0 or a "
    "multiple of 1.1e-16, whatever the small probabilities are. Their own sum has all digits.",
    kinds=ALL_KINDS,
    level="exact",
    layer="behaviour",
    experiment="print(1 - 1 / (1 + np.exp(-40.0)), np.exp(-40.0) / (1 + np.exp(-40.0)))",
    fix="Sum the others: R = sum of exp(z[j] - m) for j other than the largest.\n1 - p = R / (1 + R), and "
    "log p = -np.log1p(R).",
)

TOO_FEW_DECIMALS = Mistake(
    name="too-few-decimals",
    title="rounded to fewer decimals than are asked",
    why="every number is right, as far as it goes: the result is rounded to fewer decimals than it is compared to.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment="print(result)   # how many decimals are there?",
    fix="Round to four decimals, np.round(result, 4), or not at all. Where fewer are asked for, say --decimals 2.",
)

MISTAKES = (ROUNDED, TOO_FEW_DECIMALS, LOG_OF_ZERO, EPSILON, CLIP, NAN_AT_MINUS_INFINITY, TAIL_LOST)
