"""What a report says to try: it gives no cure away, and what should come of it does."""

import itertools
import re

import numpy as np
import pytest

import softjac
from softjac.check.as_called import as_called, stands_for
from softjac.check.kinds import KINDS
from softjac.check.mistakes import MISTAKES
from softjac.check.mistakes.plain_calls import IN_LOGITS, OF_DIGITS, OF_DIGITS_BY_PROBS, OF_LOGITS, OF_PROBABILITIES
from softjac.check.model import Convention, Facts
from softjac.check.own_names import in_own_names


def right_softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


OF_THE_CURE = ("diagflat", "np.outer", "keepdims", "g @ J", "@ p", "log2", "log10", "p[y - 1]", "np.arange", "-result")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_an_experiment_gives_no_cure_away(mistake):
    """It is printed at --reveal hint, where the name is not."""
    for kind, by_probs in itertools.product(sorted(mistake.kinds), (False, True)):
        experiment = mistake.experiment_for(kind, by_probs=by_probs)
        assert not [word for word in OF_THE_CURE if word in experiment]


RIGHT_ONES = {
    "softmax": right_softmax,
    "log_softmax": softjac.log_softmax,
    "logsumexp": softjac.logsumexp,
    "softmax_jacobian": softjac.softmax_jacobian,
    "softmax_vjp": softjac.softmax_vjp,
    "cross_entropy": softjac.cross_entropy,
    "cross_entropy_grad": softjac.cross_entropy_grad,
    "cross_entropy_value_and_grad": softjac.cross_entropy_value_and_grad,
}


def _of_probabilities(kind):
    def loss(p, y):
        return -np.log(p[y]) if np.ndim(y) == 0 else -(y * np.log(p)).sum()

    def grad(p, y):
        one_hot = np.eye(len(p))[y] if np.ndim(y) == 0 else y
        return -np.where(one_hot == 0, 0.0, one_hot / np.where(p == 0, 1.0, p))

    def jacobian(p):
        return np.diag(p) - np.outer(p, p)

    both = {
        "cross_entropy": loss,
        "cross_entropy_grad": grad,
        "softmax_jacobian": jacobian,
        "softmax_vjp": lambda p, g: jacobian(p) @ g,
    }
    return both.get(kind, lambda p, y: (loss(p, y), grad(p, y)))


_PARTS = {"loss": "cross_entropy", "grad": "cross_entropy_grad"}


def _experiments():
    """Those that call the function with numbers and say which should come."""
    names = "f|loss|grad|value_and_grad|softmax|log_softmax|logsumexp|softmax_jacobian"
    found = {}
    for mistake, by_probs in itertools.product(MISTAKES, (False, True)):
        for kind in sorted(mistake.kinds & set(mistake.experiments_by_probs) if by_probs else mistake.kinds):
            line = mistake.experiment_for(kind, by_probs=by_probs)
            arguments = r"np\.array\(.*?\)(?:, (?:\d|np\.array\(.*?\)))?"
            call = re.match(rf"print\((?:np\.ravel\()?({names})\(({arguments})\)\)(?:\.tolist\(\)\))?   # (.*)", line)
            said = call and re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e\d+)?", call[3].split("should be", 1)[-1])
            if (
                said
                and "), " + call[1] + "(" not in call[2]
                and "should be" in call[3]
                and "1.1e" not in line
                and "near" not in call[3]
            ):
                called = call[1] if call[1] in RIGHT_ONES else _PARTS.get(call[1], kind)
                found[line, called, by_probs] = (call[2], [float(x) for x in said])
    return found


@pytest.mark.parametrize("experiment", sorted(_experiments(), key=str), ids=lambda e: f"{e[1]}: {e[0][:60]}")
def test_what_should_come_of_an_experiment_does(experiment):
    line, kind, by_probs = experiment
    arguments, said = _experiments()[experiment]
    function = _of_probabilities(kind) if by_probs else RIGHT_ONES[kind]
    made = function(*eval(f"[{arguments}]"))
    made = made if isinstance(made, tuple) else (made,)
    numbers = np.concatenate([np.ravel(a) for a in (made[:1] if len(said) == 1 else made)])
    for one in numbers:
        assert np.isclose(said, one, rtol=1e-4, atol=6e-5).any(), (line, numbers)
    for one in said:
        assert np.isclose(numbers, one, rtol=1e-4, atol=6e-5).any(), (line, numbers)


def test_most_experiments_with_numbers_are_looked_at():
    assert len(_experiments()) > 60


@pytest.mark.parametrize("kind", sorted(IN_LOGITS))
def test_what_to_try_of_probabilities_with_a_gradient_in_the_logits(kind):
    p = np.array([0.2, 0.3, 0.5])
    loss, grad = -np.log(p[2]), p - np.eye(3)[2]
    said = [float(x) for x in re.findall(r"-?\d\.\d+", IN_LOGITS[kind].split("should be")[1])]
    assert np.allclose(said, grad if kind == "cross_entropy_grad" else [loss, *grad], rtol=0, atol=6e-5)

    def wrong(probs, y):
        one_hot = np.eye(len(probs))[y]
        value = -np.log(probs[y])
        return one_hot - probs if kind == "cross_entropy_grad" else (value, one_hot - probs)

    report = softjac.check(wrong, kind, given="probs")
    assert report.mistake == "gradient-sign"
    assert report.main.experiment == IN_LOGITS[kind].replace("f(", "wrong(")


@pytest.mark.parametrize(
    ("table", "by_probs"),
    [(OF_LOGITS, False), (OF_PROBABILITIES, True), (OF_DIGITS, False), (OF_DIGITS_BY_PROBS, True)],
)
def test_the_numbers_of_plain_calls(table, by_probs):
    assert set(table) <= set(KINDS)
    for kind, line in table.items():
        call, said = line.split("   # should be ")
        called = re.search(r"\b(f|grad)\((np\.array\(.*?\)(?:, (?:\d|np\.array\(.*?\)))?)\)", call)
        of_kind = _PARTS.get(called[1], kind)
        function = _of_probabilities(of_kind) if by_probs else RIGHT_ONES[of_kind]
        made = function(*eval(f"[{called[2]}]"))
        numbers = np.concatenate([np.ravel(a) for a in (made if isinstance(made, tuple) else (made,))])
        expected = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", said)]
        assert np.allclose(numbers[: len(expected)], expected, rtol=0, atol=1e-15 if "ravel" in call else 6e-5)


def test_what_to_try_is_for_probabilities_where_they_are_given():
    def clipped(p, y):
        return -np.log(np.clip(p, 1e-7, 1.0)[y])

    main = softjac.check(clipped, "cross_entropy", level="stable", given="probs").main
    assert main.name == "clip"
    assert "1e-30, 1.0" in main.experiment
    assert "from the logits" not in main.fix


def _tried(function, kind, **options):
    return softjac.check(function, kind, **options).main.experiment


def test_what_to_try_has_the_names_of_the_reader():
    def my_loss(scores, label):
        return right_softmax(scores)[label]

    def my_product(scores, upstream):
        return right_softmax(scores) * (upstream - upstream.sum())

    def shifts(x):
        x -= x.max()
        return right_softmax(x)

    assert _tried(my_loss, "cross_entropy").startswith("print(my_loss(np.array(")
    assert _tried(my_product, "softmax_vjp") == "print(dz.sum())   # should be 0"
    assert _tried(shifts, "softmax") == "before = x.copy(); shifts(x); print(np.array_equal(before, x))"


CONVENTIONS = {
    "vectors": Convention(targets=("index",)),
    "one-hot": Convention(targets=("one-hot",)),
    "rows": Convention(forms=("batch",), targets=("index",)),
    "one-hot rows": Convention(forms=("batch",), targets=("one-hot",)),
    "columns": Convention(forms=("column",), targets=("index",)),
    "lists": Convention(library="list", targets=("index",)),
    "one-hot lists, swapped": Convention(library="list", targets=("one-hot",), swapped=True),
    "rows of torch": Convention(library="torch", forms=("batch",), targets=("index",), axis_keyword="dim"),
    "vectors of torch": Convention(library="torch", targets=("one-hot",)),
    "rows of JAX": Convention(library="jax", forms=("batch",), targets=("index",)),
}


OF_BATCHES = {"n-missing", "n-doubled", "wrong-axis", "one-sum-over-array", "rows-mixed"}


class _Asked:
    """A function that takes one convention, and writes down what it was asked."""

    def __init__(self, kind, convention):
        self.kind, self.convention, self.calls = kind, convention, 0

    def __call__(self, *operands, **keywords):
        self.calls += 1
        c, n = self.convention, len(KINDS[self.kind].operands)
        assert len(operands) == n
        assert set(keywords) == ({c.axis_keyword} - {""})
        first, *second = reversed(operands) if c.swapped else operands
        types = {"list": "list", "numpy": "ndarray", "torch": "Tensor", "jax": "ArrayImpl"}
        assert type(first).__name__ == types[c.library]
        shape = np.shape(first)
        assert len(shape) == (1 if c.forms == ("vector",) else 2)
        assert c.forms != ("column",) or shape[-1] == 1
        for one in second:
            if self.kind == "softmax_vjp" or c.targets == ("one-hot",):
                assert np.shape(one) == shape
            else:
                assert np.shape(one) == (() if len(shape) == 1 or c.forms == ("column",) else shape[:1])
        made = np.zeros(shape)
        return (np.zeros(()), made) if self.kind == "cross_entropy_value_and_grad" else made


@pytest.mark.parametrize("named", CONVENTIONS)
def test_what_to_try_is_what_the_function_takes(named):
    convention = CONVENTIONS[named]
    library = pytest.importorskip(convention.library) if convention.library in {"torch", "jax"} else None
    tried = 0
    for mistake, kind in ((one, kind) for one in MISTAKES for kind in sorted(one.kinds)):
        line = as_called(mistake.experiment_for(kind), kind, convention)
        asked = _Asked(kind, convention)
        z = np.zeros(3 if convention.forms == ("vector",) else (3, 1) if convention.forms == ("column",) else (1, 3))
        z = library.as_tensor(z) if convention.library == "torch" else library.numpy.asarray(z) if library else z
        labels = np.zeros((1,) if convention.forms == ("batch",) else (), int)
        y = np.zeros(np.shape(z)) if convention.targets == ("one-hot",) else labels
        names = dict.fromkeys(stands_for(kind), asked)
        names |= {
            "np": np,
            "z": list(z) if convention.library == "list" else z,
            "y": y,
            "g": z,
            convention.library: library,
        }
        code = line.split("   #")[0]
        if convention.forms != ("batch",) and mistake.name in OF_BATCHES:
            continue
        if not re.search(rf"(?<![\w.])({'|'.join(stands_for(kind))})\(", code) or re.search(
            r"\bJ\b|grad\b(?!\()", code
        ):
            continue
        exec(code, names)
        assert asked.calls
        tried += 1
    assert tried > 100


def test_names_stay_where_they_are_taken():
    def loss(label, logits):
        return -np.log(right_softmax(logits)[label - 1])

    def before(x):
        x -= x.max()
        return right_softmax(x)

    assert _tried(loss, "cross_entropy").startswith("print(loss(2, np.array([0.0, 0.0, 9.0])))")
    assert _tried(before, "softmax") == "before = z.copy(); f(z); print(np.array_equal(before, z))"


def test_a_function_without_a_name_is_f():
    facts = Facts(name="<lambda>", parameters=("x",))
    assert in_own_names("print(f(z), f(z))", "softmax", facts, Convention()) == "print(f(x), f(x))"
    assert in_own_names("print(f(z), f(z))", "softmax", Facts(name="own"), Convention()) == "print(f(z), f(z))"
