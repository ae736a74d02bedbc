"""Cross-entropy of class targets: loss and gradient beside the peers, and products with the Hessian beside these.

Every contender makes the loss and the gradient of float32 logits, where it can into memory that is there. scikit-learn
gives the losses and the gradients of rows, which it neither adds up nor divides by their number.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

import softjac

from .case import Case, Figure, Goal, Outcome, Settings, duel
from .peers import Peers
from .timing import Call

SHORT_ROWS = (65536, 10)
LONG_ROWS = ((8192, 1000), (512, 32000), (128, 128256))
OURS, PLAIN = "softjac out=", "softjac"
TORCH, SCIKIT_LEARN, OPTAX = "torch forward and backward", "scikit-learn loss_gradient", "optax jit value_and_grad"
HVP, VALUE_AND_GRAD = "softjac hvp out=", "softjac value_and_grad out="
LEAST_SPEED_OF_HVP = 0.6
MOST_MB_A_THREAD = 2.0  # of peak memory beyond logits and gradient


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    long = LONG_ROWS if settings.size != "quick" else LONG_ROWS[:1]
    job = "cross-entropy, value and gradient, float32"
    yield value_and_grad(settings, peers, SHORT_ROWS, goals(f"{job}, 65536 rows of 10", 8.0, 5.0, (1.5, None)))
    for shape in long:
        yield value_and_grad(settings, peers, shape, goals(f"{job}, rows of 1000 to 128256", 2.5, 4.0, (1.0, 1.5)))
    for shape in (SHORT_ROWS, *long):
        yield hvp(settings, peers, shape)


def goals(
    job: str, torch: float, scikit_learn: float, floor_and_aim_of_optax: tuple[float, float | None]
) -> tuple[Goal, ...]:
    """Ours into `out=` against the best of each peer; plain calls against those that have no `out=`."""
    floor, aim = floor_and_aim_of_optax
    return (
        Goal(f"{job}, into out=", OURS, TORCH, torch),
        Goal(f"{job}, into out=", OURS, SCIKIT_LEARN, scikit_learn),
        Goal(f"{job}, into out=", OURS, OPTAX, floor, aim=aim),
        Goal(f"{job}, plain call", PLAIN, TORCH),
        Goal(f"{job}, plain call", PLAIN, OPTAX),
    )


def inputs(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Logits, classes, and memory for a gradient."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal(shape).astype("float32")
    return z, rng.integers(0, shape[-1], shape[0]), np.empty_like(z)


def value_and_grad(settings: Settings, peers: Peers, full_shape: tuple[int, ...], goals: tuple[Goal, ...]) -> Case:
    shape = settings.shrink(*full_shape)

    def build() -> dict[str, Call]:
        z, labels, out = inputs(shape)
        contenders: dict[str, Call] = {
            OURS: lambda: softjac.cross_entropy_value_and_grad(z, labels, out=out),
            PLAIN: lambda: softjac.cross_entropy_value_and_grad(z, labels),
        }
        if peers.torch is not None:
            contenders[TORCH] = torch_call(peers.torch, z, labels)
        if peers.scikit_learn_loss is not None:
            contenders[SCIKIT_LEARN] = scikit_learn_call(peers.scikit_learn_loss, z, labels, settings.threads)
        if peers.optax is not None:
            contenders[OPTAX] = optax_call(peers, z, labels)
        return contenders

    elements = int(np.prod(shape))
    timed = duel(build, goals, peers.missing, elements=elements, moved_bytes=2 * elements * 4)

    def measure(settings: Settings) -> Outcome:
        outcome = timed(settings)
        peak = outcome.times[OURS].get("peak_bytes")
        if peak is not None:
            used, most = peak / 1e6, MOST_MB_A_THREAD * settings.threads
            names = goals[0].job, f"{OURS}, peak memory", "beyond logits and gradient"
            outcome.figures.append(Figure(*names, used, used, used, "MB", at_most=most))
        return outcome

    return Case(f"cross-entropy value and gradient float32 {' x '.join(map(str, shape))}", measure)


def torch_call(torch: Any, z: Any, labels: Any) -> Call:
    logits, classes = torch.from_numpy(z).requires_grad_(), torch.from_numpy(labels)
    cross_entropy, grad = torch.nn.functional.cross_entropy, torch.autograd.grad

    def call() -> Any:
        loss = cross_entropy(logits, classes)
        return loss, grad(loss, logits)

    return call


def scikit_learn_call(module: Any, z: Any, labels: Any, threads: int) -> Call:
    loss, classes = module.HalfMultinomialLoss(n_classes=z.shape[1]), labels.astype("float32")
    losses, gradient = np.empty(len(z), "float32"), np.empty_like(z)
    memory = {"loss_out": losses, "gradient_out": gradient, "n_threads": threads}
    return lambda: loss.loss_gradient(classes, z, **memory)


def optax_call(peers: Peers, z: Any, labels: Any) -> Call:
    jax, optax = peers.jax, peers.optax
    assert jax is not None  # optax needs it
    assert optax is not None

    def loss(z: Any, labels: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(z, labels).mean()

    compiled = jax.jit(jax.value_and_grad(loss))
    there = jax.numpy.asarray(z), jax.numpy.asarray(labels.astype("int32"))
    return lambda: jax.block_until_ready(compiled(*there))


def hvp(settings: Settings, peers: Peers, full_shape: tuple[int, ...]) -> Case:
    shape = settings.shrink(*full_shape)

    def build() -> dict[str, Call]:
        z, labels, out = inputs(shape)
        v = np.random.default_rng(1).standard_normal(shape).astype("float32")
        return {
            HVP: lambda: softjac.cross_entropy_hvp(z, labels, v, out=out),
            VALUE_AND_GRAD: lambda: softjac.cross_entropy_value_and_grad(z, labels, out=out),
        }

    goal = Goal("cross-entropy, product with the Hessian, float32", HVP, VALUE_AND_GRAD, LEAST_SPEED_OF_HVP)
    name = f"cross-entropy hvp float32 {' x '.join(map(str, shape))}"
    return Case(name, duel(build, [goal], peers.missing, elements=int(np.prod(shape))))
