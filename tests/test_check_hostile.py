"""Objects and modules that are made to break what looks at them: each ends in a report in plain words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import softjac
from softjac import check

WHERE = str(Path(softjac.__file__).parents[1])
RIGHT = "exp = np.exp\n\ndef right(z):\n    z = ASARRAY(z)\n    e = exp(z - z.max())\n    return e / e.sum()\n\n"
HEAD = "import base64, builtins, contextlib, io, json, math, os, sys, types, warnings\nimport numpy as np\n"
HEAD += f"ASARRAY = np.asarray\n{RIGHT}"

RESULTS = {
    "array raises": ("class Odd:\n    def __array__(self, *a, **k): 1 / 0", "Odd()"),
    "array is a text": ("class Odd:\n    def __array__(self, *a, **k): return 'abc'", "Odd()"),
    "no attribute": ("class Odd:\n    def __getattribute__(self, name): 1 / 0", "Odd()"),
    "class raises": ("class Odd:\n    __class__ = property(lambda self: 1 / 0)", "Odd()"),
    "class is a text": ("class Odd:\n    __class__ = 'abc'", "Odd()"),
    "shape raises": (
        "class Odd:\n    shape = property(lambda self: 1 / 0)\n    def __array__(self, *a, **k): return 1.0",
        "Odd()",
    ),
    "shape is a text": (
        "class Odd:\n    shape = dtype = 'abc'\n    def __array__(self, *a, **k): return 1.0",
        "Odd()",
    ),
    "repr raises": ("class Odd:\n    def __repr__(self): 1 / 0", "Odd()"),
    "list of odd length": ("class Odd(list):\n    def __len__(self): return 1 // 0", "Odd(['a', 'b'])"),
    "list without end": (
        "class Odd(list):\n    def __iter__(self):\n        while True: yield 1.0",
        "Odd(['a'])",
    ),
    "tuple of odd items": ("class Odd(tuple):\n    def __getitem__(self, k): 1 / 0", "Odd('ab')"),
    "float raises": ("class Odd(float):\n    def __float__(self): 1 / 0", "Odd('nan'), 'a'"),
    "int raises": (
        "class Odd(int):\n    def __int__(self): 1 / 0\n    __index__ = __float__ = __int__",
        "Odd(2), 'a'",
    ),
    "text of odd items": (
        "class Odd(str):\n    def __getitem__(self, k): 1 / 0\n    __len__ = __repr__ = 5",
        "Odd('ab')",
    ),
    "array of odd shape": (
        "class Odd(np.ndarray):\n    shape = property(lambda self: 1 / 0)\n    __len__ = __iter__ = __repr__ = shape",
        "np.zeros(3, 'M8[D]').view(Odd)",
    ),
    "type without a name": (
        "class Meta(type):\n    __name__ = __module__ = property(lambda cls: 1 / 0)\nclass Odd(metaclass=Meta): pass",
        "Odd()",
    ),
    "type with a long name": ("Odd = type('x' * 3000 + '\\x1b[2J', (), {})", "Odd()"),
    "contains itself": ("Odd = []\nOdd.append(Odd)", "Odd"),
}
RAISED = {
    "text raises": "class Odd(Exception):\n    def __str__(self): 1 / 0",
    "text is odd": (
        "class Text(str):\n    def strip(self): 1 / 0\n    splitlines = __len__ = __iter__ = strip\n"
        "class Odd(Exception):\n    def __str__(self): return Text('abc')"
    ),
    "class raises": "class Odd(Exception):\n    __class__ = property(lambda self: 1 / 0)",
    "traceback raises": "class Odd(Exception):\n    __traceback__ = property(lambda self: 1 / 0)",
    "traceback is a text": "class Odd(Exception):\n    __traceback__ = 'abc'",
    "no attribute": "class Odd(Exception):\n    def __getattribute__(self, name): 1 / 0",
    "exit with an odd code": (
        "class Code:\n    def __repr__(self): 1 / 0\nclass Odd(SystemExit):\n    def __init__(self): self.code = Code()"
    ),
    "type without a name": (
        "class Meta(type):\n    __name__ = property(lambda cls: 1 / 0)\nclass Odd(Exception, metaclass=Meta): pass"
    ),
    "a group": "def Odd(): return BaseExceptionGroup('many', [KeyError(1), SystemExit(2)])",
}
FUNCTIONS = {
    "signature raises": "__signature__ = property(lambda self: 1 / 0)",
    "signature is a text": "__signature__ = 'abc'",
    "wrapped raises": "__wrapped__ = property(lambda self: 1 / 0)",
    "wrapped is itself": "__wrapped__ = property(lambda self: self)",
    "wrapped without end": "__wrapped__ = property(lambda self: type(self)())",
    "name raises": "__name__ = property(lambda self: 1 / 0)",
    "name is a list": "__name__ = ['a']",
    "name is long": "__name__ = 'x\\x1b[2J' * 1000",
    "class raises": "__class__ = property(lambda self: 1 / 0)",
    "code is a text": "__code__ = 'abc'",
    "module raises": "__module__ = property(lambda self: 1 / 0)",
    "no attribute": "def __getattribute__(self, name): 1 / 0",
    "every attribute": "def __getattr__(self, name): return self",
    "path raises": "def __fspath__(self): 1 / 0",
    "odd globals": "odd = type('', (), {'__class__': property(lambda s: 1 / 0), '__getattr__': lambda s, n: 1 / 0})()",
}
SPOILING = [
    "builtins.open = None",
    "builtins.len = builtins.isinstance = builtins.list = None",
    "json.dumps = json.loads = None",
    "json.encoder.JSONEncoder = None",
    "np.asarray = np.array = np.ndarray = np.frombuffer = np.dtype = None",
    "np.errstate = np.ndim = np.generic = np.bool_ = np.number = None",
    "[vars(np).pop(name, 0) for name in ('asarray', 'isfinite', 'abs')]",
    "vars(np).clear()",
    "base64.b64encode = base64.b64decode = None",
    "os.write = os.getpid = os._exit = os.path = None",
    "warnings.catch_warnings = warnings.simplefilter = contextlib.suppress = math.prod = None",
    "sys.stdout = None",
    "sys.stderr = sys.stdout = 5",
    "sys.stdout = type('Odd', (), {'flush': lambda self: sys.exit(1)})()",
    "sys.stdout.close()",
    "sys.setrecursionlimit(150)",
    "np.seterr(all='raise')",
]
ITS_OWN = [
    "os.close(1)",
    "os.close(2)",
    "vars(builtins).clear()",
    "sys.modules.clear()",
    "sys.modules['numpy'] = sys.modules['json'] = None",
    "sys.path = None",
    "sys.meta_path.clear()",
    "sys.stdout = os.fdopen(1, 'w'); sys.stdout.close()",
]


def code_of_result(name):
    made, returned = RESULTS[name]
    return f"{made}\n\ndef softmax(z):\n    return {returned}\n"


def code_of_raised(name):
    return f"{RAISED[name]}\n\ndef softmax(z):\n    raise Odd()\n"


def code_of_function(name):
    lines = FUNCTIONS[name]
    own = "" if lines.startswith("odd") else f"    {lines}\n"
    globals_ = f"{lines}\n" if not own else ""
    used = "(z, odd)[0]" if not own else "z"
    return f"{globals_}class Odd:\n{own}    def __call__(self, z): return right({used})\n\nsoftmax = Odd()\n"


def code_of_spoiling(line, where):
    if where == "import":
        return f"def softmax(z):\n    return right(z)\n\n{line}\n"
    return f"def softmax(z):\n    {line}\n    return right(z)\n"


MADE = {f"result: {name}": code_of_result(name) for name in RESULTS}
MADE |= {f"raised: {name}": code_of_raised(name) for name in RAISED}
MADE |= {f"function: {name}": code_of_function(name) for name in FUNCTIONS}
MADE |= {line: code_of_spoiling(line, "call") for line in SPOILING}
EXPECTED = {name: "COULD NOT RUN" if name.startswith(("result", "raised")) else "CONFORMING" for name in MADE}


def assert_clean(text):
    assert "Traceback" not in text
    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", MADE)
def test_in_a_process_of_its_own(tmp_path, name):
    (tmp_path / "odd.py").write_text(HEAD + MADE[name])
    report = check(f"{tmp_path / 'odd.py'}:softmax", "softmax", time_limit=20)
    assert report.verdict == EXPECTED[name], report.could_not
    assert_clean(str(report))
    json.loads(report.to("json"))


PLACES = [(line, "import") for line in (*SPOILING, *ITS_OWN)] + [(line, "call") for line in ITS_OWN]


@pytest.mark.parametrize(("line", "where"), PLACES)
def test_a_spoilt_process(tmp_path, line, where):
    (tmp_path / "odd.py").write_text(HEAD + code_of_spoiling(line, where))
    report = check(f"{tmp_path / 'odd.py'}:softmax", "softmax", time_limit=20)
    assert_clean(str(report))
    if line in SPOILING:
        assert report.verdict == "CONFORMING", str(report)


IN_THIS_PROCESS = """
import json, sys
import softjac
found = {}
for name, code in json.load(sys.stdin).items():
    space = {"__name__": "odd"}
    exec(code, space)
    report = softjac.check(space["softmax"], "softmax")
    found[name] = report.verdict, str(report), report.to("json"), report.to("markdown"), repr(report)
json.dump(found, sys.stdout)
"""


def test_in_this_process():
    """All of them in one, one after the other: what one of them spoils, the next would meet."""
    codes = {name: HEAD + code for name, code in MADE.items() if name != "sys.stdout.close()"}
    done = subprocess.run(
        [sys.executable, "-c", IN_THIS_PROCESS],
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env=os.environ | {"PYTHONPATH": WHERE},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    for name, (verdict, text, *_) in found.items():
        assert verdict == EXPECTED[name], (name, text)
        assert_clean(text)
    assert set(found) == set(codes)
