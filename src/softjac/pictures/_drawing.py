"""What a picture shows, in numbers and words, without anything that draws."""

from dataclasses import dataclass

from softjac._arguments import NDArray

NUMBERED = 12
"""Up to so many classes the entries stand in their cells."""
NAMED = 30
"""Up to so many classes each row and column has its name."""
_DECIMALS = ((6, 4), (8, 3), (NUMBERED, 2))
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Drawing:
    """The Jacobian, shape (n, n), the probabilities and the logits, shape (n,)."""

    jacobian: NDArray
    probabilities: NDArray
    logits: NDArray

    @property
    def n(self) -> int:
        """Number of classes."""
        return len(self.probabilities)

    @property
    def largest(self) -> float:
        """The largest magnitude of an entry: the scale ends there, on both sides."""
        return float(abs(self.jacobian).max())

    @property
    def bar_limit(self) -> float:
        """Where the axis of the bars ends: 1, or for small probabilities a round number above them."""
        limits = (step * 10.0**-k for k in range(4) for step in (1, 0.5, 0.2))
        return min(limit for limit in limits if limit >= self.probabilities.max())

    @property
    def decimals(self) -> int:
        """Of the numbers in the cells."""
        return next((decimals for most, decimals in _DECIMALS if self.n <= most), 4)

    @property
    def title(self) -> str:
        """Above the picture, and read out first."""
        return "Softmax Jacobian"

    @property
    def description(self) -> str:
        """The picture in words, for whoever does not see it."""
        n, p = self.n, self.probabilities
        k = int(p.argmax())
        shown = ", ".join(f"{x:.6g}" for x in self.logits[:NUMBERED]) + (", ..." if n > NUMBERED else "")
        what = f"Heat map of the {n} by {n} matrix J[i,j] = dp[i]/dz[j] for the logits ({shown})"
        words = [f"{what}, beside bars of the probabilities. The largest probability is p[{k}] = {number(p[k], 4)}."]
        if n == 1:
            words.append("The only entry is 0: the only probability is always 1.")
        elif n <= NUMBERED:
            rows = "; ".join(
                f"row {i}: " + ", ".join(number(x, 4) for x in row) for i, row in enumerate(self.jacobian.tolist())
            )
            words.append(f"The probabilities are {', '.join(number(x, 4) for x in p.tolist())}. The entries: {rows}.")
        if n > 1:
            words.append(
                "The diagonal, p[i] (1 - p[i]), is blue, for not negative; all else, -p[i] p[j], is red, for not"
                " positive. Rows and columns sum to zero."
            )
        return " ".join(words)


def number(value: float, decimals: int) -> str:
    """To so many decimals; one that is not zero and would look it is written as -2.1e-9.

    >>> number(0.0819, 2), number(-2.06e-9, 4), number(-2.06e-9, 2), number(-0.0, 2)
    ('0.08', '-2.1e-9', '-2e-9', '0')
    """
    if value == 0:
        return "0"
    text = f"{value:.{decimals}f}"
    if float(text):
        return text
    digits, _, exponent = f"{value:.{1 if decimals > 3 else 0}e}".partition("e")
    return f"{digits}e{int(exponent)}"
