"""What tests of the derivation's text share: logits of every kind, the paragraphs as they read, the code as it runs."""

import contextlib
import io

import numpy as np
import pytest

from softjac.derivation.blocks import Code, Text
from softjac.derivation.printers import TextPrinter

LOGITS = {
    "1 2 3": [1.0, 2.0, 3.0],
    "2 1 0.1": [2.0, 1.0, 0.1],
    "0 20": [0.0, 20.0],
    "one": [5.0],
    "two equal": [0.0, 0.0],
    "ties": [1.0, 1.0, 0.0, 1.0],
    "gap 40": [0.0, 40.0, 0.5],
    "gap 800": [0.0, 800.0, -1.0],
    "large": [1000.0, 1001.0, 1002.5],
    "five": [0.5, -1.0, 2.0, 0.0, 1.0],
    "six": [0.5, -1.0, 2.0, 0.0, 1.0, -0.7],
    "fifty": [round(0.1 * k, 1) for k in range(50)],
    "fifty equal": [0.0] * 50,
}
every_logits = pytest.mark.parametrize("logits", LOGITS.values(), ids=LOGITS.keys())


def run_code(text):
    """Run all lines in order in one namespace; True for each block that prints what it says."""
    space = {}
    ran = []
    with np.printoptions():
        for block in text.blocks:
            if isinstance(block, Code):
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(block.source, "<derivation>", "exec"), space)
                printed = out.getvalue()
                if block.shows:
                    assert printed.rstrip() == block.shows.rstrip(), block.source
                ran.append(bool(block.shows))
    return ran


def texts_of(blocks):
    return [plain(block.parts) for block in blocks if isinstance(block, Text)]


def plain(parts):
    printer = TextPrinter(ascii=True)
    return "".join(part if isinstance(part, str) else printer(part) for part in parts)
