"""The command line: ``softjac softmax 1 2 3``, ``softjac jacobian logits.csv --format json``.

Words are sorted (`_cli.words`), logits read (`_cli.logits`), the result computed (`_cli.results`) and written in one
of six formats (`_cli.formats`). Exit code 0, or 2 with one plain line on standard error; of `softjac check` 0, 1 or 2.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from softjac._cli.errors import printable
from softjac._cli.output import silence
from softjac.errors import SoftjacError

MISSING_EXTRA = "the command line needs two more packages, typer and rich: pip install 'softjac[cli]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on ``argv``, or on the words the program was started with, and return its exit code.

    >>> main(["jacobian", "0", "1", "--decimals", "4", "--format", "json"])
    [[0.1966, -0.1966], [-0.1966, 0.1966]]
    0
    """
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:  # at any time, also while modules are loaded
        silence(sys.stdout)
        return 130


def _run(words: Sequence[str]) -> int:
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError:
        return _fail(MISSING_EXTRA)
    from softjac._cli.app import run

    try:
        return run(words)
    except BrokenPipeError:  # whoever read the output has enough
        return 0
    except MemoryError as error:
        return _fail(f"not enough memory: {error}" if str(error) else "not enough memory")
    except (SoftjacError, OSError) as error:
        return _fail(str(error))


def _fail(message: str) -> int:
    """Say ``message`` on one line; where standard error takes nothing, the exit code alone tells."""
    if sys.stderr is not None:
        try:
            print("softjac:", printable(message), file=sys.stderr, flush=True)
        except OSError:
            silence(sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
