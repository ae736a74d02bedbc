"""The commands as typer knows them: names, options, help. Needs the extra ``softjac[cli]``; nothing else here does."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.main import get_command

from softjac import __version__
from softjac._cli import explain, plot
from softjac._cli.check_command import add_check
from softjac._cli.digits import FEWEST, MOST, USUAL
from softjac._cli.errors import CommandError, did_you_mean, quoted
from softjac._cli.formats import FORMATS, SUFFIX_OF
from softjac._cli.jobs import JOBS, Job
from softjac._cli.output import standard_output
from softjac._cli.run import Request
from softjac._cli.words import Option, is_data, separate, unknown_option

NAME = "softjac"
EXAMPLES = """\b
Examples:
  softjac softmax 1 2 3                      probabilities of three logits
  softjac jacobian -1 0.5 -2e3               derivatives; negatives are fine
  softjac jacobian 1 2 3 --decimals 4 --format json
  softjac softmax logits.csv -o probs.npy    one vector a row, file to file
  softjac cross-entropy 1 2 3 --label 2      the loss, and its gradient
  softjac explain 1 2 3                      where the numbers come from
  softjac plot 1 2 3 -o jacobian.svg         a picture of the Jacobian
  softjac check student.py:softmax           is it right, and what is wrong?
"""
LOGITS = (
    'LOGITS are numbers (1 2 3, or "[1, 2, 3]"), a .csv, .npy or .npz file of rows, each a vector,'
    " or - for standard input, which is also read where it is piped and nothing is given."
)

Words = Annotated[list[str] | None, typer.Argument(metavar="LOGITS", hidden=True)]  # its help is the text above
Axis = Annotated[
    str | None,
    typer.Option("--axis", metavar="N", help="Axis that counts classes, as in NumPy: -1, the default, takes rows."),
]
ArrayName = Annotated[str | None, typer.Option("--array", metavar="NAME", help="Which array of a .npz file.")]
Decimals = Annotated[
    str | None,
    typer.Option(
        "--decimals",
        metavar="N",
        help=f"Decimals, {FEWEST} to {MOST}. Default: {USUAL} for people; all digits in json, csv and npy.",
    ),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help=f"{FORMATS}. Default: text, or what -o says.")
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"Write to FILE, by its suffix: {', '.join(SUFFIX_OF.values())}."
    ),
]
Label = Annotated[
    str | None,
    typer.Option("--label", metavar="N", help="The right class, counted from 0; for rows one each, as 2,0,1."),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="N|NAME",
        help="The column of the rows that holds the labels: its number, from 0, or -1 for the last; or its name in the"
        " header of a .csv file.",
    ),
]
LabelSmoothing = Annotated[
    str | None,
    typer.Option(
        "--label-smoothing", metavar="E", help="Give each class E/n of the target, the label the rest. Default: 0."
    ),
]
IgnoreIndex = Annotated[
    str | None, typer.Option("--ignore-index", metavar="N", help="Rows of this label do not count.")
]
Reduction = Annotated[
    str | None,
    typer.Option("--reduction", metavar="NAME", help="Of the losses of rows: mean, sum, none. Default: mean."),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="WAY", help=f"The derivative by one way, or both: {', '.join(explain.WAYS)}. Default: both."
    ),
]
Entry = Annotated[
    str | None, typer.Option("--entry", metavar="I,J", help="One entry of the Jacobian: dp[I]/dz[J], as 0,2.")
]
RightClass = Annotated[
    str | None,
    typer.Option("--label", metavar="N", help="The loss of the right class, counted from 0, its gradient, one step."),
]
Nudge = Annotated[
    str | None,
    typer.Option(
        "--nudge",
        metavar="LIST",
        help="What a change of the logits does, beside what J predicts: 0.1,0,0, for example.",
    ),
]
Part = Annotated[
    str | None,
    typer.Option("--part", metavar="NAME", help=f"A part of the text, or several: {', '.join(explain.PARTS)}."),
]
Whole = Annotated[bool, typer.Option("--all", help="The whole text.")]
ExplainFormat = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help=f"{', '.join(explain.SUFFIX_OF)}. Default: text, or what -o says."),
]
ExplainOutput = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"Write to FILE, by its suffix: {', '.join(explain.SUFFIX_OF.values())}."
    ),
]
PlotFormat = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help=f"{', '.join(plot.SUFFIX_OF)}. Default: what -o says.")
]
PlotOutput = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"The picture, by its suffix: {', '.join(plot.SUFFIX_OF.values())}."
    ),
]
FORMS = (
    "json has loss, gradient and probabilities; csv a line a row: label, its own loss, probabilities p and gradient g;"
    " npy the gradient. The gradient is that of the mean, unless --reduction says otherwise."
)


def run(words: Sequence[str]) -> int:
    """Do what the words of a command line ask for, and return the exit code.

    Raises CommandError for every mistake in them.
    """
    app = get_command(_make_app())
    commands: dict[str, Any] = app.commands  # type: ignore[attr-defined]
    if not words or words[0] in ("-h", "--help"):
        _show_help(app, [])
        return 0
    name, *rest = words
    if name == "--version":
        with standard_output() as stream:
            print(f"{NAME} {__version__}", file=stream)
        return 0
    if name not in commands:
        raise CommandError(_not_a_command(words, commands))
    given, data = separate(rest, _options(commands[name]), f"{NAME} {name}")
    if "--help" in given:
        _show_help(app, [name])
        return 0
    code: int | None = _typer(app, [name, *given, "--", *data]).perform()
    return code or 0


def _make_app() -> typer.Typer:
    app = typer.Typer(
        name=NAME,
        help="Softmax and its derivatives, rounded to about the last digit.",
        epilog=EXAMPLES,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def softjac(
        version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    ) -> None:
        pass

    for job in JOBS:
        (_add_labelled if job.has_labels else _add)(app, job)
    _add_explain(app)
    _add_plot(app)
    add_check(app)
    return app


def _add(app: typer.Typer, job: Job) -> None:
    """Make a command of ``job``: typer reads the options from the signature, the command hands back a Request."""

    @app.command(job.name, help=f"{job.summary}\n\n{LOGITS}", short_help=job.in_short, epilog=f"Example: {job.example}")
    def command(
        words: Words = None,
        axis: Axis = None,
        array: ArrayName = None,
        decimals: Decimals = None,
        format: Format = None,  # noqa: A002
        output: Output = None,
    ) -> Request:
        return Request(job, words or [], axis, array, decimals, format, output)


def _add_labelled(app: typer.Typer, job: Job) -> None:
    """As `_add`, with the options of what has labels."""
    what = f"{job.summary}\n\n{LOGITS}\n\n{FORMS}"

    @app.command(job.name, help=what, short_help=job.in_short, epilog=f"Example: {job.example}")
    def command(
        words: Words = None,
        label: Label = None,
        label_column: LabelColumn = None,
        label_smoothing: LabelSmoothing = None,
        ignore_index: IgnoreIndex = None,
        reduction: Reduction = None,
        axis: Axis = None,
        array: ArrayName = None,
        decimals: Decimals = None,
        format: Format = None,  # noqa: A002
        output: Output = None,
    ) -> Request:
        labels = {
            "--label": label,
            "--label-column": label_column,
            "--label-smoothing": label_smoothing,
            "--ignore-index": ignore_index,
            "--reduction": reduction,
        }
        return Request(job, words or [], axis, array, decimals, format, output, labels)


def _add_explain(app: typer.Typer) -> None:
    what = (
        "Where softmax, its Jacobian and the gradient of cross-entropy come from, step by step, with your numbers: on"
        " one screen, or what the options select. Without LOGITS in symbols."
    )

    @app.command(
        explain.NAME,
        help=f"{what}\n\n{LOGITS}",
        short_help="The derivation, step by step.",
        epilog="Example: softjac explain 1 2 3 --entry 0,2",
    )
    def command(
        words: Words = None,
        by: By = None,
        entry: Entry = None,
        label: RightClass = None,
        nudge: Nudge = None,
        part: Part = None,
        whole: Whole = False,
        axis: Axis = None,
        array: ArrayName = None,
        format: ExplainFormat = None,  # noqa: A002
        output: ExplainOutput = None,
    ) -> explain.ExplainRequest:
        return explain.ExplainRequest(words or [], by, entry, label, nudge, part, whole, axis, array, format, output)


def _add_plot(app: typer.Typer) -> None:
    what = "A picture of the Jacobian, as a heat map with its numbers, beside bars of the probabilities."

    @app.command(
        plot.NAME,
        help=f"{what}\n\n{LOGITS}",
        short_help="A picture of the Jacobian.",
        epilog="Example: softjac plot 1 2 3 -o jacobian.svg",
    )
    def command(
        words: Words = None,
        axis: Axis = None,
        array: ArrayName = None,
        format: PlotFormat = None,  # noqa: A002
        output: PlotOutput = None,
    ) -> plot.PlotRequest:
        return plot.PlotRequest(words or [], axis, array, format, output)


def _show_help(app: Any, words: list[str]) -> None:
    with standard_output(), contextlib.suppress(typer.Exit):
        _typer(app, [*words, "--help"])


def _typer(app: Any, words: list[str]) -> Any:
    """What typer makes of the words: what the command returns. An error of its own becomes one plain line.

    Its ``main`` is not asked, because it makes an exit code of an interrupt and returns that as if all went well.
    """
    try:
        with app.make_context(NAME, words) as context:
            return app.invoke(context)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        raise CommandError(error.format_message()) from None


def _options(command: Any) -> dict[str, Option]:
    """Every name of every option of a command, as typer has them."""
    options: dict[str, Option] = {}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            option = Option(max(parameter.opts, key=len), not parameter.is_flag)
            options |= dict.fromkeys(parameter.opts, option)
    return options | dict.fromkeys(("-h", "--help"), Option("--help", False))


def _not_a_command(words: Sequence[str], commands: dict[str, Any]) -> str:
    word, names = words[0], list(commands)
    if not word.strip():
        return f"name a command: there are {', '.join(names)}"
    if not is_data(word):
        return _option_before_command(words, commands)
    if word[:1].isalpha() and "." not in word:
        return f"unknown command {quoted(word)}: " + did_you_mean(word, names, f"there are {', '.join(names)}")
    return f"name a command before {quoted(word)}: {_command_line(names[0], words)}, for example"


def _option_before_command(words: Sequence[str], commands: dict[str, Any]) -> str:
    """Message about an option where the command should stand, with the same words in their order."""
    known = {name: option for command in commands.values() for name, option in _options(command).items()}
    name = words[0].partition("=")[0]
    if name not in known:
        version = {"--version": Option("--version", False)}
        return unknown_option(name, known | version, f"{NAME} -h lists the commands")
    usual = next(command for command in commands if name in _options(commands[command]))
    given, data = separate(words, known, f"{NAME} {usual}")
    command = data.pop(0) if data and data[0] in commands else usual
    return f"{name} comes after the command: {_command_line(command, data, given)}"


def _command_line(command: str, data: Sequence[str], given: Sequence[str] = ()) -> str:
    short = 0 < len(shlex.join(data)) < 60
    return shlex.join([NAME, command, *(data if short else ["LOGITS"]), *given])
