"""The command line on a terminal: another process whose output is one."""

import io
import os
import re

import pytest

from cli_helpers import environment, output, run_program
from softjac._cli.progress import Progress
from softjac._cli.screen import Screen, screen_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="these tests need a Unix terminal (pty)")

SEVEN = ["1", "2", "1", "2", "1", "2", "1"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_terminal_gets_colour_and_the_next_command():
    ran = run_program(["jacobian", "1", "2", "3"])
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b[1;36m[+0.0819]\x1b[0m" in ran.out
    plain = COLOUR.sub("", ran.out)
    piped = output("jacobian", "1", "2", "3").replace("dp[i]/dz[j]", "\u2202p[i]/\u2202z[j]")
    assert plain == piped + "Next: softjac jacobian 1 2 3 -o jacobian.tex\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"NO_COLOR": "1"},
        {"TERM": "dumb"},
        {"TERM": None},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LANG": None},  # here Python sets LC_CTYPE
        {"LC_ALL": "C"},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_a_plain_terminal_gets_ascii(changes):
    words = ["jacobian", *SEVEN]
    ran = run_program(words, env=environment(**changes))
    assert ran.code == 0
    assert ran.out.isascii()
    assert "\x1b" not in ran.out
    assert ran.out == output(*words) + "Next: softjac jacobian 1 2 1 2 1 2 1 -o jacobian.tex\n"


def test_an_empty_no_color_means_nothing():
    assert "\x1b[" in run_program(["softmax", "1", "2"], env=environment(NO_COLOR="")).out


class Utf8Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("settings", "fancy"),
    [
        ("TERM=xterm LANG=en_US.UTF-8", True),
        ("TERM=xterm LANG=en_US.utf8", True),
        ("TERM=xterm LANG=C LC_ALL=de_DE.UTF-8@euro", True),
        ("TERM=xterm LANG=C LC_CTYPE=en_US.UTF-8", True),
        ("TERM=xterm LANG=en_US.UTF-8 LC_CTYPE=C.UTF-8", True),
        ("TERM=xterm LANG=en_US.UTF-8 LC_ALL=", True),
        ("TERM= LANG=en_US.UTF-8", False),
        ("LANG=en_US.UTF-8", False),
        ("TERM=unknown LANG=en_US.UTF-8", False),
        ("TERM=xterm", False),
        ("TERM=xterm LANG=", False),
        ("TERM=xterm LANG=C", False),
        ("TERM=xterm LANG=POSIX", False),
        ("TERM=xterm LANG=de_DE.ISO-8859-1", False),
        ("TERM=xterm LANG=en_US.UTF-8 LC_CTYPE=C", False),
        ("TERM=xterm LANG=en_US.UTF-8 LC_ALL=POSIX", False),
        ("TERM=xterm LANG=C LC_CTYPE=C.UTF-8", False),  # as Python sets it where LANG=C
        ("TERM=xterm LC_CTYPE=C.UTF-8 LC_ALL=C", False),
    ],
)
def test_what_the_environment_says_of_a_terminal(settings, fancy, monkeypatch):
    for name in ("NO_COLOR", "TERM", "LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for setting in settings.split():
        monkeypatch.setenv(*setting.split("="))
    assert screen_of(Utf8Terminal()).fancy == fancy


def test_a_shortened_table_has_an_ellipsis_on_a_terminal():
    out = COLOUR.sub("", run_program(["jacobian", *SEVEN]).out)
    assert "z[2]=1    \u2026    " in out or "z[3]=2    \u2026    " in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_narrow_terminal_gets_narrower_tables():
    table = COLOUR.sub("", run_program(["jacobian", "1", "2", "3", "4", "5"], columns=60).out).split("\n\n")[1]
    assert "are left out to fit 60 columns" in table
    assert max(map(len, table.splitlines())) <= 60


@pytest.mark.parametrize("columns", [40, 47, 60, 74])
@pytest.mark.parametrize(
    "words",
    [["1", "2", "3", "4", "5"], ["[[1, 2, 3], [4, 5, 6], [1, 2, 3], [1, 0, 0]]"], ["1", "2"] * 15],
    ids=["vector", "rows", "long"],
)
@pytest.mark.parametrize("command", ["softmax", "jacobian"])
def test_a_narrow_terminal_gets_narrower_text(command, words, columns, monkeypatch):
    monkeypatch.setattr("softjac._cli.run.screen_of", lambda _: Screen(terminal=True, width=columns))
    narrow = output(command, *words)
    assert max(map(len, narrow.splitlines())) <= columns
    monkeypatch.setattr("softjac._cli.run.screen_of", lambda _: Screen(terminal=True))
    title, *_, last = output(command, *words).splitlines()
    for sentence in (title, last):
        assert " ".join(sentence.split()) in " ".join(narrow.split()) or sentence.startswith("Next: ")


def test_a_wide_terminal_gets_the_same_80_columns():
    words = ["jacobian", *SEVEN]
    assert run_program(words, columns=200) == run_program(words, columns=80)


@pytest.mark.parametrize(
    ("words", "offer"),
    [
        (["softmax", "-1", "-inf"], "Next: softjac jacobian -1 -inf"),
        (["softmax", "[1, 2]", "--decimals", "2"], "Next: softjac jacobian '[1, 2]'"),
        (["softmax", "[[1, 2], [3, 4]]", "--axis", "0"], "Next: softjac jacobian '[[1, 2], [3, 4]]' --axis 0"),
        (["softmax", *["0.125"] * 20], "Next: softjac jacobian LOGITS"),
        (["softmax", "[[1, 2]", *[",[0.125, 2]"] * 9, "]", "--axis", "1"], "Next: softjac jacobian LOGITS --axis 1"),
    ],
)
def test_the_next_command_is_on_the_same_numbers(words, offer):
    assert COLOUR.sub("", run_program(words).out).splitlines()[-1] == offer


def test_the_next_command_has_a_place_for_what_was_piped():
    for words in (["softmax"], ["softmax", "-"]):
        ran = run_program(words, stdin="1,2\n3,4\n")
        assert COLOUR.sub("", ran.out).splitlines()[-1] == "Next: softjac jacobian LOGITS"


def test_a_file_name_cannot_control_the_terminal(tmp_path):
    path = tmp_path / "a\x1b[31mb.csv"
    path.write_text("1,2\n")
    ran = run_program(["softmax", str(path)])
    assert ran.out.splitlines()[-1].endswith("Next: softjac jacobian LOGITS\x1b[0m")


def test_no_other_format_gets_an_offer_or_colour():
    for form in ("json", "csv", "markdown", "latex"):
        words = ["softmax", "1", "2", "--format", form]
        assert run_program(words).out == output(*words)


def test_help_on_a_terminal_is_plain():
    for words in ([], ["-h"], ["softmax", "--help"]):
        ran = run_program(words)
        assert ran.out == output(*words)
        assert (ran.code, ran.err) == (0, "")


def test_a_mistake_on_a_terminal_is_one_plain_line():
    for words in (["softmax", "0,5"], ["softmax", "--formt", "json", "1"], ["softmax"], ["sofmax", "1"]):
        ran = run_program(words, stdout="pipe", stderr="terminal")
        assert (ran.code, ran.out) == (2, "")
        assert re.fullmatch(r"softjac: [ -~]+\n", ran.err)


SLOW = """
import functools, sys
import softjac._cli.run as run
run.Progress = functools.partial(run.Progress, delay=0.0)
from softjac.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_bar_on_standard_error_leaves_the_output_alone(tmp_path):
    path = str(tmp_path / "logits.csv")
    with open(path, "w") as file:
        file.write("1,2,3\n" * 3000)
    words = ["softmax", path, "--format", "csv"]
    ran = run_program(words, stdout="pipe", stderr="terminal", code=SLOW)
    assert ran.code == 0
    assert ran.out == output(*words)
    assert "reading logits.csv" in ran.err
    assert "writing" in ran.err
    assert run_program(words, stdout="pipe", stderr="terminal").err == ""  # it takes less than a second
    assert run_program(words, stdout="terminal", stderr="pipe", code=SLOW).err == ""


def test_a_file_name_cannot_control_the_bar(tmp_path):
    path = tmp_path / "a\x1b[35mb.csv"
    path.write_text("1,2\n" * 3000)
    ran = run_program(["softmax", str(path), "--format", "csv"], stdout="pipe", stderr="terminal", code=SLOW)
    assert ran.code == 0
    assert "reading a\\x1b[35mb.csv" in ran.err
    assert "a\x1b[35mb.csv" not in ran.err


def test_the_bar_appears_after_a_second_and_is_taken_away(monkeypatch):
    drawn = []

    class Bar:
        def add_task(self, what, total):
            drawn.append((what, total))
            return 0

        def start(self):
            drawn.append("start")

        def update(self, _task, completed):
            drawn.append(completed)

        def stop(self):
            drawn.append("stop")

    now = 0.0
    monkeypatch.setattr("softjac._cli.progress._make_bar", Bar)
    progress = Progress(enabled=True, clock=lambda: now)
    progress.start("reading", 10)
    progress.advance(4)
    now = 0.99
    progress.advance(2)
    assert drawn == []
    now = 1.0
    progress.advance(1)
    assert drawn == [("reading", 10), "start", 7]
    progress.start("writing", 5, shown=False)
    progress.advance(1)
    progress.start("writing", 6)
    progress.advance(2)
    progress.stop()
    assert drawn[3:] == ["stop", ("writing", 6), "start", 2, "stop"]
    off = Progress(enabled=False, clock=lambda: now)
    off.start("reading", 1)
    now = 5.0
    off.advance()
    off.stop()
    assert len(drawn) == 8


def test_paint_keeps_text_as_it_is():
    # What looks like markup, a web address, a number or an emoji to rich is none here.
    text = "[bold]x[/bold] :smile: 12 https://x 'a' [ ]"
    assert Screen().paint([[(text + "  ", "note")], []]) == text + "\n\n"
    assert COLOUR.sub("", Screen(terminal=True, fancy=True).paint([[(text * 3, "mark")]])) == text * 3 + "\n"
