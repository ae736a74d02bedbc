"""The command line: ``softjac softmax 1 2 3``, ``softjac jacobian logits.csv --format json``.

Words are sorted (`_cli.words`), logits read (`_cli.logits`), the result computed (`_cli.results`) and written in one
of six formats (`_cli.formats`). Exit code 0, or 2 with one plain line on standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from softjac.errors import SoftjacError

MISSING_EXTRA = "the command line needs two packages more, typer and rich: pip install 'softjac[cli]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on ``argv``, or on the words the program was started with, and return its exit code.

    >>> main(["jacobian", "0", "1", "--decimals", "4", "--format", "json"])
    [[0.1966, -0.1966], [-0.1966, 0.1966]]
    0
    """
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError:
        return _fail(MISSING_EXTRA)
    from softjac._cli.app import run

    try:
        run(sys.argv[1:] if argv is None else argv)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has enough
        _silence_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    except MemoryError as error:
        return _fail(f"not enough memory: {error}" if str(error) else "not enough memory")
    except SoftjacError as error:
        return _fail(str(error))
    except OSError as error:
        _silence_stdout()
        return _fail(f"cannot write standard output: {error.strerror or error}")
    return 0


def _fail(message: str) -> int:
    if sys.stderr is not None:
        print("softjac:", " ".join(message.split()), file=sys.stderr)
    return 2


def _silence_stdout() -> None:
    """Let nothing more be written: Python flushes standard output at its end, and would complain again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
