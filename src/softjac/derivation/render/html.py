"""A derivation as one HTML page that asks the network for nothing: MathML, light and dark, and a presentation."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from softjac.derivation.blocks import Block, Chain, Code, Heading, Line, Parts, Table, Text
from softjac.derivation.expressions import Expression, Number
from softjac.derivation.printers import MathmlPrinter, TextPrinter
from softjac.derivation.printers.text import without_controls
from softjac.derivation.render._base import Renderer
from softjac.derivation.sentence_table import LANGUAGE
from softjac.derivation.sentences import rule_name, sentence

DEEPEST = 6
# An expression whose text is longer has the line for itself, with the name of its rule below.
WIDE = 56
PAGE = (
    "page_skip", "page_present", "page_deck", "page_previous", "page_next", "page_play", "page_pause", "page_paused",
    "page_playing", "page_still", "page_close", "page_where", "page_places", "page_wide",
)  # fmt: skip
"""Words of the page around the text: keys of the sentences."""


def _read(name: str) -> str:
    return files("softjac.derivation.render").joinpath(name).read_text(encoding="utf-8")


def _hashed(content: str) -> str:
    """What the page's policy calls its own style or script, so that it runs no other."""
    return "sha256-" + b64encode(sha256(content.encode()).digest()).decode()


class HtmlRenderer(Renderer):
    """A page; with fragment, only its blocks and their style, for a page of somebody else."""

    printer: MathmlPrinter = MathmlPrinter()

    def __init__(self, *, fragment: bool = False, rule: Callable[[str], Parts] = rule_name) -> None:
        super().__init__(rule=rule)
        self.fragment = fragment
        self._names = TextPrinter()
        self._start()

    def _start(self) -> None:
        self._lift = 0  # taken off every level, so that the page starts at one
        self._level = 0
        self._anchors: set[str] = set()
        self._contents: list[tuple[int, str, str]] = []

    def blocks(self, blocks: Iterable[Block]) -> list[str]:
        """The blocks, titles numbered from one level."""
        self._start()
        blocks = tuple(blocks)
        self._lift = min((block.level for block in blocks if isinstance(block, Heading)), default=1) - 1
        return super().blocks(blocks)

    def math(self, x: Expression) -> str:
        """An expression inside a sentence."""
        return self.printer.math(x)

    def heading(self, block: Heading) -> str:
        """A title that can be linked to; levels are not skipped, which is for readers who go from title to title."""
        self._level = max(1, min(block.level - self._lift, self._level + 1, DEEPEST))
        anchor = self._anchor(block.anchor)
        title = self.inline(block.parts)
        words = self._words(block.parts)
        label = f' aria-label="{words}"' if words else ""
        self._contents.append((self._level, f'href="#{escape(anchor)}"{label}', title))
        return f'<h{self._level} id="{escape(anchor)}"{label}>{title}</h{self._level}>'

    def _words(self, parts: Parts) -> str:
        """Words for a title that is mathematics alone, for readers that take none from MathML; else nothing."""
        if any(isinstance(part, str) and part.strip() for part in parts):
            return ""
        words = "".join(part if isinstance(part, str) else self._names(part) for part in parts)
        return escape(" ".join(words.split()))

    def _anchor(self, wanted: str) -> str:
        """The anchor of a heading, numbered where another has it; "content" and the like are the page's."""
        stem = "-".join(wanted.split()) or "part"
        anchor, number = f"{stem}", 1
        while anchor in self._anchors | {"content", "deck", "present", "previous", "play", "next", "close", "said"}:
            number += 1
            anchor = f"{stem}-{number}"
        self._anchors.add(anchor)
        return anchor

    def text(self, block: Text) -> str:
        """A paragraph."""
        return f'<p class="step">{self.inline(block.parts)}</p>'

    def chain(self, chains: Sequence[Chain]) -> str:
        """Steps in a grid of four columns; the tabulator stops once, at the group."""
        lines = "\n".join(
            self._line(chain.goal if number == 0 else None, line)
            for chain in chains
            for number, line in enumerate(chain.lines)
        )
        goals = ", ".join(dict.fromkeys(" ".join(self._names(chain.goal).split()) for chain in chains))
        group = f'<div class="chain" role="group" tabindex="0" aria-label="{escape(goals)}">'
        return f'{group}\n<ol class="lines">\n{lines}\n</ol>\n</div>'

    def _line(self, goal: Expression | None, line: Line) -> str:
        rule = f'<span class="rule">{self.inline(self.rule(line))}</span>' if line.rule else ""
        why = f'<p class="why">{self.inline(line.why)}</p>' if line.why else ""
        wide = " wide" if max(map(len, self._names(line.expression).split("\n"))) > WIDE else ""
        return (
            f'<li class="line step{wide}"><span class="goal">{self._display(goal) if goal is not None else ""}</span>'
            f'<span class="relation"><math><mo>{line.relation}</mo></math></span>'
            f'<span class="expression scroll">{self._display(line.expression)}</span>{rule}{why}</li>'
        )

    def _display(self, x: Expression) -> str:
        return f'<math displaystyle="true">{self.printer(x)}</math>'

    def table(self, block: Table) -> str:
        """A table with its caption; the first column names the rows."""
        numeric = [all(_is_number(row[k]) for row in block.rows) for k in range(len(block.header))]

        def cell(tag: str, scope: str, parts: Parts, k: int) -> str:
            content = self.inline(parts)
            kind = ' class="number"' if numeric[k] else ""
            if tag == "th" and not content.strip():  # a header without words would name nothing
                return f"<td{kind}></td>"
            if tag == "th" and self._words(parts):  # a label would do, but axe takes the text of a header alone
                content = f'<span class="unseen">{self._words(parts)}</span><span aria-hidden="true">{content}</span>'
            return f"<{tag}{scope}{kind}>{content}</{tag}>"

        header = "".join(cell("th", ' scope="col"', parts, k) for k, parts in enumerate(block.header))
        rows = "\n".join(
            "<tr>"
            + "".join(
                cell("td", "", parts, k) if k else cell("th", ' scope="row"', parts, k) for k, parts in enumerate(row)
            )
            + "</tr>"
            for row in block.rows
        )
        return (
            '<figure class="step"><div class="scroll"><table>\n'
            f"<caption>{self.inline(block.caption)}</caption>\n"
            f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div></figure>"
        )

    def code(self, block: Code) -> str:
        """Source, and what it shows."""
        source = _typed(block.source)
        shown = f'<pre class="scroll"><samp>{_typed(block.shows)}</samp></pre>' if block.shows else ""
        return f'<figure class="step"><pre class="scroll"><code>{source}</code></pre>{shown}</figure>'

    def document(self, title: str, blocks: Sequence[str]) -> str:
        """The page around the blocks."""
        content = _read("content.css")
        body = "\n".join(blocks)
        if self.fragment:
            return f'<div class="softjac">\n<style>{content}</style>\n{body}\n</div>\n'
        style, script = content + _read("page.css"), _read("page.js")
        if not self._contents:
            body = f'<h1 class="unseen">{escape(title)}</h1>\n{body}'
        return Template(_read("page.html")).substitute(
            title=escape(title),
            style=style,
            style_hash=_hashed(style),
            script=script,
            script_hash=_hashed(script),
            contents=self._table_of_contents(),
            blocks=body,
            language=LANGUAGE,
            **{key: _words_of(key) for key in PAGE},
        )

    def _table_of_contents(self) -> str:
        """Links to the titles, where there are enough of them to look for one."""
        if len(self._contents) <= 2:
            return ""
        items = [
            f'<li class="level-{level}"><a {target}>{title}</a></li>' for level, target, title in self._contents[1:]
        ]
        links = "\n".join(items)
        contents = _words_of("page_contents")
        return (
            f'<nav aria-label="{contents}"><details><summary>{contents}</summary>\n'
            f"<ul>\n{links}\n</ul></details></nav>\n"
        )


def _words_of(key: str) -> str:
    """Words of the page around the text, from the table of sentences."""
    return escape("".join(part for part in sentence(key) if isinstance(part, str)))


def _typed(content: str) -> str:
    """Lines of code as HTML."""
    return "\n".join(escape(without_controls(line)) for line in content.expandtabs().strip("\n").split("\n"))


def _is_number(cell: Parts) -> bool:
    return bool(cell) and isinstance(cell[-1], Number)
