"""The options of `softjac check`, as typer knows them."""

from __future__ import annotations

from typing import Annotated

import typer

from softjac._cli import check

Files = Annotated[list[str] | None, typer.Argument(metavar="FILE:NAME", hidden=True)]
What = Annotated[
    str | None,
    typer.Option("--what", metavar="KIND", help=f"What it computes: {', '.join(check.KINDS)}. Default: guessed."),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar="NAME",
        help="What it is held to: exercise (right to --decimals on ordinary input; the default), stable (large logits,"
        " masks), exact (the error budget of softjac).",
    ),
]
Decimals = Annotated[
    str | None, typer.Option("--decimals", metavar="N", help="How many decimals have to be right. Default: 4.")
]
Reveal = Annotated[
    str | None,
    typer.Option(
        "--reveal",
        metavar="NAME",
        help="How much is said: hint (what was seen, what to try), name (the mistake; the default), fix.",
    ),
]
Function = Annotated[
    str | None, typer.Option("--function", metavar="NAME", help="The function, for files that are given without one.")
]
Given = Annotated[
    str | None,
    typer.Option("--given", metavar="NAME", help="What it is a function of: logits or probs. Default: found out."),
]
Takes = Annotated[
    str | None,
    typer.Option("--takes", metavar="NAME", help="Its form of argument: vector, column, batch. Default: found out."),
]
Reduction = Annotated[
    str | None,
    typer.Option("--reduction", metavar="NAME", help="Of a batch's losses: mean, sum, none. Default: found out."),
]
Axis = Annotated[
    str | None, typer.Option("--axis", metavar="N", help="0 where the classes of a batch run down its columns.")
]
TimeLimit = Annotated[
    str | None,
    typer.Option("--time-limit", metavar="SECONDS", help="For all calls of one function. Default: 30; 120 with JAX."),
]
MemoryLimit = Annotated[
    str | None, typer.Option("--memory-limit", metavar="GB", help="Gigabytes; none on Windows. Default: 2.")
]
Starter = Annotated[
    str | None,
    typer.Option("--starter", metavar="KIND", help="Write a file to be filled in, with three worked examples."),
]
Logits = Annotated[
    bool, typer.Option("--logits", help="What is given are logits, as for the other commands, and --result is judged.")
]
Result = Annotated[
    str | None,
    typer.Option(
        "--result", metavar="FILE", help="What somebody got for them: .json, .csv, .npy, - for standard input."
    ),
]
Label = Annotated[
    str | None, typer.Option("--label", metavar="N", help="The right class of these logits, where it is a loss's.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help=f"{', '.join(check.SUFFIX_OF)}. Default: text, or what -o says."),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"Write to FILE, by its suffix: {', '.join(check.SUFFIX_OF.values())}."
    ),
]


def add_check(app: typer.Typer) -> None:
    """Give the command line its command `check`."""
    what = (
        "Hold a function of yours against the exact results, and name its mistake: FILE:NAME, one or several. Each runs"
        " in its own process, with a limit of time and of memory; that is no sandbox. With --logits and --result it"
        " judges numbers. Exit code 0: all conform, 1: one does not, 2: one could not run."
    )

    @app.command(
        check.NAME,
        help=what,
        short_help="Is a function right, and what is wrong?",
        epilog="Example: softjac check student.py:softmax_jacobian --level stable",
    )
    def command(
        words: Files = None,
        what: What = None,
        level: Level = None,
        decimals: Decimals = None,
        reveal: Reveal = None,
        function: Function = None,
        given: Given = None,
        takes: Takes = None,
        reduction: Reduction = None,
        axis: Axis = None,
        time_limit: TimeLimit = None,
        memory_limit: MemoryLimit = None,
        starter: Starter = None,
        logits: Logits = False,
        result: Result = None,
        label: Label = None,
        format: Format = None,  # noqa: A002
        output: Output = None,
    ) -> check.CheckRequest:
        return check.CheckRequest(
            words or [],
            what,
            level,
            decimals,
            reveal,
            function,
            given,
            takes,
            reduction,
            axis,
            time_limit,
            memory_limit,
            starter,
            logits,
            result,
            label,
            format,
            output,
        )
