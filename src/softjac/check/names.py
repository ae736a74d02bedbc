"""What the names of a function and of its parameters tell: guesses, which a report prints as such."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from softjac.check.kinds import KINDS
from softjac.check.model import Facts

Order: TypeAlias = Literal["as is", "swapped", "perhaps swapped", ""]

LOSS = ("crossentropy", "xent", "nll", "loss", "negativeloglikelihood", "cost")
GRADIENT = ("grad", "backward", "backprop", "deriv", "delta", "prime", "dlogits", "bwd")
BOTH = ("valueandgrad", "lossandgrad", "lossgrad", "andgrad", "lossandd", "andderiv", "forwardbackward")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROBS = _words(
    """p ps prob probs probability probabilities s sm softmax_output softmax_out softmax_probs output outputs out y_pred
    ypred y_hat yhat a activations pred preds predictions probas proba p_hat phat q al a1 a2 a3 y_prob y_probs y_proba
    yprob pk p_ prediction softmax_probabilities"""
)
LOGITS = _words("z zs logit logits score scores z_batch logits_batch batch_logits unnormalized unnormalised log_odds")
UPSTREAM = _words(
    """g gs grad grads grad_output grad_out dout dy dp ds da upstream cotangent gradient v u w vector dl_dp dl_ds dl_da
    grad_p grad_y dldp dlds gy g_out upstream_grad upstream_gradient output_grad dvalues dvalue delta deltas d_out
    d_output doutput dprobs d_probs"""
)
TARGETS = _words(
    """y ys t ts target targets label labels y_true ytrue true onehot one_hot y_onehot y_one_hot index idx cls c k
    classes class_index class_idx gold truth labels_onehot correct y_index correct_class label_index"""
)
INDICES = _words(
    """label index idx cls c k class_index class_idx y_index y_idx label_index correct_class class_id label_idx"""
)
ONE_HOT = _words("onehot one_hot y_onehot y_one_hot labels_onehot labels_one_hot target_one_hot distribution")
AXIS_WORDS = ("axis", "dim", "axes")
BATCH_WORDS = _words("keepdims keepdim batch batch_size logits_batch num_examples n_samples")
BATCH_PARAMETERS = _words("X Z batch logits_batch batch_logits x_batch z_batch")


class KindGuess(NamedTuple):
    """A kind, and whether the name leaves no doubt."""

    kind: str = ""
    sure: bool = False


def kind_from_name(facts: Facts) -> KindGuess:
    """The kind that the name of a function speaks of.

    A derivative of softmax is the Jacobian where it takes one argument, and the product with it where it takes two.

    >>> kind_from_name(Facts(name="softmax_grad", parameters=("z",)))
    KindGuess(kind='softmax_jacobian', sure=True)
    """
    name = facts.name.rpartition(".")[2].lower().replace("_", "")
    plain = {kind.replace("_", ""): kind for kind in KINDS}
    if name in plain:
        return KindGuess(plain[name], True)
    gradient = any(word in name for word in GRADIENT)
    if any(word in name for word in LOSS) or name == "ce":
        if any(word in name for word in BOTH):
            return KindGuess("cross_entropy_value_and_grad", True)
        return KindGuess("cross_entropy_grad" if gradient else "cross_entropy", gradient)
    if "jac" in name:
        return KindGuess("softmax_jacobian", True)
    if "vjp" in name or "jvp" in name:
        return KindGuess("softmax_vjp", True)
    if "logsoftmax" in name:
        return KindGuess() if gradient else KindGuess("log_softmax")
    if "logsumexp" in name or name == "lse" or "logpartition" in name:
        return KindGuess("logsumexp")
    if "softmax" in name or "softargmax" in name:
        if gradient or name.startswith("dsoftmax"):
            return KindGuess("softmax_vjp" if len(facts.parameters) == 2 else "softmax_jacobian", True)
        return KindGuess("softmax")
    return KindGuess()


def order_from_names(kind: str, facts: Facts) -> Order:
    """Which of two operands comes first, where the names of the parameters tell.

    >>> order_from_names("softmax_vjp", Facts(parameters=("dvalues", "output")))
    'swapped'
    """
    if len(facts.parameters) < 2:
        return ""
    first, second = (name.lower().lstrip("_") for name in facts.parameters[:2])
    others = TARGETS if KINDS[kind].has_targets else UPSTREAM
    if (first in others) != (second in others):
        return "swapped" if first in others else "as is"
    of_first, of_second = (name in (PROBS | LOGITS) - others for name in (first, second))
    return "perhaps swapped" if of_second and not of_first else ""


def probs_parameter(kind: str, facts: Facts) -> str:
    """The name of the parameter that holds probabilities, by its name; or ""."""
    others: frozenset[str] = frozenset()
    if len(KINDS[kind].operands) == 2:
        others = TARGETS if KINDS[kind].has_targets else UPSTREAM
    for name in facts.parameters[: len(KINDS[kind].operands)]:
        if name.lower() in PROBS and name.lower() not in others:
            return name
    return ""


def logits_parameter(facts: Facts) -> bool:
    """Whether one of its first two parameters has the name of logits."""
    return any(name.lower() in LOGITS for name in facts.parameters[:2])


def target_parameter(facts: Facts) -> str:
    """The name of the parameter that holds the labels or targets, in small letters; or ""."""
    return next((name.lower() for name in facts.parameters[:2] if name.lower() in TARGETS | INDICES | ONE_HOT), "")


def axis_keyword(facts: Facts) -> str:
    """The name of its argument for the axis of the classes; or ""."""
    return next((word for word in AXIS_WORDS if word in facts.keywords), "")


def means_batches(facts: Facts) -> bool:
    """Whether its own code or its parameters say that it is made for rows: a softmax that it calls may be as well."""
    return takes_batches(facts) or bool(BATCH_WORDS & facts.own)


def takes_batches(facts: Facts) -> bool:
    """Whether its parameters say so: one is called batch, or is an axis."""
    return bool(BATCH_PARAMETERS & set(facts.parameters) or axis_keyword(facts))


def speaks_of_rows(facts: Facts) -> bool:
    """Whether its own code names an axis or rows, as one for vectors may do too.

    What it calls may be right for rows, and was made for others as well.
    """
    return bool((BATCH_WORDS | set(AXIS_WORDS)) & facts.own)
