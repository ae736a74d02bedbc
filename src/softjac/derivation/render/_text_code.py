"""Code in a terminal: lines behind prompts, broken only where Python allows it, so that they can be pasted."""

import ast
import io
import textwrap
import tokenize

PROMPT = ">>> "
GOES_ON = "... "
INDENT = 4
_STRINGS = tuple(getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START"))
_ENDS = tuple(getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END"))


def code_lines(source: str, width: int) -> list[str]:
    """Statements behind a prompt. A line that is too long and has no brackets to be broken in stays as it is."""
    source = source.strip("\n")
    starts, between = _statements(source)
    places = _places(source)
    lines = []
    for number, line in enumerate(source.split("\n"), 1):
        prompt = "" if number in between else PROMPT if number in starts else GOES_ON
        first, *rest = broken(line, places.get(number, {}), width - len(PROMPT))
        lines += [prompt + first, *(GOES_ON + part for part in rest)]
    return lines


def shown_lines(shows: str, width: int) -> list[str]:
    """What the code shows; too long a line goes on in the next, between two words."""
    lines = []
    for line in shows.rstrip("\n").split("\n") if shows else []:
        lines += textwrap.wrap(
            line, width, subsequent_indent="  ", break_on_hyphens=False, replace_whitespace=False
        ) or [""]
    return lines


def broken(line: str, places: dict[int, bool], width: int) -> list[str]:
    """A line of code over several, behind a comma where there is one that fits, else between two tokens in brackets."""
    parts: list[str] = []
    start = 0
    indent = " " * (len(line) - len(line.lstrip()) + INDENT)
    while len(line) - start + (len(indent) if parts else 0) > width:
        room = width - (len(indent) if parts else 0)
        fitting = [place for place in places if start < place <= start + room]
        cut = max((place for place in fitting if places[place]), default=max(fitting, default=0))
        if not cut:
            cut = min((place for place in places if place > start), default=0)  # too long, but not for longer
        if not cut:
            break
        parts.append(line[start:cut].strip() if parts else line[start:cut].rstrip())
        start = cut
    parts.append(line[start:].strip() if parts else line[start:])
    return [indent + part if number else part for number, part in enumerate(parts)]


def _places(source: str) -> dict[int, dict[int, bool]]:
    """By line, the columns behind a space inside brackets where the line may be broken; whether a comma is before."""
    places: dict[int, dict[int, bool]] = {}
    depth = inside = 0
    before: tokenize.TokenInfo | None = None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return {}
    for token in tokens:
        inside += (token.type in _STRINGS) - (token.type in _ENDS)
        bracketed = depth and not inside and token.type != tokenize.COMMENT
        if before is not None and bracketed and before.end[0] == token.start[0] and before.end[1] < token.start[1]:
            places.setdefault(token.start[0], {})[token.start[1]] = before.string == ","
        if token.type == tokenize.OP and not inside:
            depth += (token.string in "([{") - (token.string in ")]}")
        before = token
    return places


def _statements(source: str) -> tuple[set[int], set[int]]:
    """Numbers of the lines at which a statement or a comment starts, and of the empty ones between them."""
    lines = dict(enumerate(source.split("\n"), 1))
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return set(lines), set()
    within = {line for statement in body for line in range(statement.lineno, (statement.end_lineno or 0) + 1)}
    outside = {number for number in lines if number not in within}
    comments = {number for number in outside if lines[number].strip()}
    return {statement.lineno for statement in body} | comments, outside - comments
