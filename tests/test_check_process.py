"""Hostile submissions in a process of their own: ends, hangs, and limits of a call, and what it prints."""

import os
import sys
import time

import numpy as np
import pytest

from check_submissions import CALL, Z, outcome_of
from softjac.check.model import Argument, Call
from softjac.check.process import OwnProcess


def test_an_ordinary_function(submission):
    path = submission("""
    def helper(z):
        return z.sum(keepdims=True)

    def f(z, axis=-1):
        return z / helper(z)
    """)
    with OwnProcess(path, "f") as candidate:
        facts = candidate.facts
        outcome = candidate.call(CALL, 1)
    assert facts.parameters == ("z", "axis")
    assert {"keepdims", "helper"} <= facts.names
    assert facts.libraries == {"numpy"}
    np.testing.assert_array_equal(outcome.arrays[0], Z / 7)
    assert outcome.described == "float64 array of shape (3,)"
    assert not outcome.error + outcome.fatal + outcome.unusable


# What ends or hangs in a call.


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os._exit(7)", "the process ended with code 7"),
        ("import ctypes; ctypes.string_at(0)", "the process ended by SIGSEGV (a segmentation fault)"),
        ("os.kill(os.getpid(), 9)", "the process ended by SIGKILL"),
        ("os.abort()", "the process ended by SIGABRT"),
        ("os.closerange(0, 100)", "the process closed the files through which it answers"),
        ("os.closerange(3, 100); os._exit(0)", "the process ended with code 0"),
        (
            "_flood(FAKED); return z",
            "its process answered what cannot be read",
        ),
        (
            "_flood(b'x' * 50_000_000); return z",
            "its process answered what cannot be read",
        ),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals and descriptors of POSIX")
def test_an_end_in_a_call_says_how(submission, body, words):
    path = submission(
        f"""
    FAKED = (
        b'{{"token": 1, "arrays": [], "changed": [], "described": "", "library": "", "error": "faked",'
        b' "unusable": "", "out_of_memory": false}}\\n'
    )

    def _flood(data):
        for k in range(3, 12):
            try:
                os.write(k, data)
            except OSError:
                pass

    def f(z):
        {body}
    """
    )
    with OwnProcess(path, "f", time_limit=20) as candidate:
        first, second = candidate.call(CALL, 1), candidate.call(CALL, 1)
    assert first.fatal.startswith(words)
    assert second.fatal == first.fatal
    assert not first.arrays


def test_there_is_more_time_where_jax_compiles(submission, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setattr("softjac.check.process.TIME_LIMIT", 60.0)
    monkeypatch.setattr("softjac.check.process.TIME_LIMIT_WITH_JAX", 61.0)
    for body, limit in (("import jax; while_true(jax)", 61.0), ("while_true(z)", 60.0)):
        with OwnProcess(submission(f"def while_true(of):\n    while True: pass\ndef f(z): {body}"), "f") as candidate:
            assert candidate.facts.name == "f"
            candidate._left = 0.5
            assert candidate.call(CALL, 1).fatal == f"no answer within {limit:g} s"


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(60)", "input('z? ')"])
def test_a_hang_ends_at_the_limit(submission, body):
    path = submission(f"def f(z):\n    try:\n        {body}\n    except EOFError:\n        time.sleep(60)")
    begun = time.monotonic()
    assert outcome_of(path, time_limit=1.5).fatal == "no answer within 1.5 s"
    assert time.monotonic() - begun < 6


def test_the_time_limit_is_for_all_calls_together(submission):
    path = submission("def f(z):\n    time.sleep(0.4)\n    return z")
    with OwnProcess(path, "f", time_limit=1.5) as candidate:
        outcomes = [candidate.call(CALL, 1) for _ in range(5)]
    assert outcomes[0].fatal == ""
    assert outcomes[-1].fatal == "no answer within 1.5 s"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is RLIMIT_DATA of Linux")
@pytest.mark.parametrize("body", ["np.ones(10**10 // 8)", "[0.0] * 10**10", "bytearray(10**10)", "list(range(10**9))"])
def test_ten_gigabytes_are_refused(submission, body):
    path = submission(f"def f(z):\n    x = {body}\n    return z")
    assert outcome_of(path).fatal.startswith("out of memory (limit 2 GB): ")


def test_exit_in_a_call_is_an_error_of_the_call(submission):
    path = submission("def f(z):\n    sys.exit(3)")
    assert outcome_of(path).error == "SystemExit: the code was 3 (line 5)"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return f(z)", "RecursionError: maximum recursion depth exceeded (line 5)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (line 5)"),
        ("raise type('Own', (BaseException,), {})('mine')", "Own: mine (line 5)"),
        ("raise type('Own', (Exception,), {'__str__': lambda s: 1 / 0})()", "Own (line 5)"),
        ("del z; return z", "UnboundLocalError"),
        ("np.seterr(all='raise'); return np.exp(z * 1000)", "FloatingPointError: overflow"),
        ("return z.reshape(2, 2)", "ValueError: cannot reshape array of size 3 into shape (2,2) (line 5)"),
    ],
)
def test_an_error_is_told_with_its_line(submission, body, error):
    assert outcome_of(submission(f"def f(z):\n    {body}")).error.startswith(error)


# What it does besides.


def test_a_megabyte_of_output_is_counted_and_its_start_kept(submission):
    path = submission("""
    print("at the import")

    def f(z):
        print("x" * 1_000_000)
        sys.stderr.write("y" * 10)
        os.write(1, b"z" * 10)
        return z
    """)
    with OwnProcess(path, "f") as candidate:
        first, second = candidate.call(CALL, 1), candidate.call(CALL, 1)
    assert first.printed.startswith("x" * 100) or first.printed.startswith("z")
    assert first.printed_length == second.printed_length == 1_000_021
    assert len(first.printed) == 2000
    assert (candidate.facts.printed, candidate.facts.printed_length) == ("at the import\n", 14)


@pytest.mark.parametrize("body", ["sys.exit(3)", "os._exit(3)", "while True: pass", "pass"])
def test_what_is_printed_at_the_import_is_kept_where_it_fails(submission, body):
    with OwnProcess(submission(f"print('ab', flush=True)\n{body}"), "f", time_limit=1.5) as candidate:
        assert candidate.could_not
        assert (candidate.facts.printed, candidate.facts.printed_length) == ("ab\n", 3)


def test_endless_printing_ends_at_the_limit(submission):
    path = submission("def f(z):\n    while True: print('x' * 10_000)")
    outcome = outcome_of(path, time_limit=1.5)
    assert outcome.fatal == "no answer within 1.5 s"
    assert outcome.printed_length > 10_000
    assert len(outcome.printed) == 2000


def test_a_spoilt_numpy_stays_in_its_process(submission):
    path = submission("def f(z):\n    np.exp = np.asarray = np.array = None\n    return z * 2")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], 2 * Z)
    assert np.exp(0.0) == 1.0


def test_standard_input_is_empty(submission):
    assert outcome_of(submission("def f(z):\n    return input()")).error.startswith("EOFError")


def test_they_start_in_seconds(submission):
    path = submission("def f(z): return z")
    begun = time.monotonic()
    for _ in range(5):
        assert outcome_of(path).arrays
    assert time.monotonic() - begun < 8


FORGED = """
    import base64, json
    frame = sys._getframe()
    while not ("token" in frame.f_locals and "answers" in frame.f_locals):
        frame = frame.f_back
    token, answers, lines = (frame.f_locals[name] for name in ("token", "answers", "lines"))

    def answer(arrays, changed=()):
        data = base64.b64encode(np.ones(3).tobytes()).decode()
        one = {"dtype": "<f8", "shape": [3], "data": data}
        plain = {"described": "x", "library": "numpy", "error": "", "unusable": "", "out_of_memory": False}
        os.write(2, token.encode())
        message = plain | {"arrays": [one] * arrays, "changed": changed, "token": token}
        os.write(answers, (json.dumps(message) + "\\n").encode())
        return lines.readline() or os._exit(0)
"""


@pytest.mark.parametrize("arguments", ["3", "1, [-5]", "1, [1]"])
def test_an_answer_that_no_worker_gives_is_refused(submission, arguments):
    path = submission(FORGED + f"\n    def f(z):\n        while True:\n            answer({arguments})\n")
    assert outcome_of(path).fatal.startswith("its process answered what cannot be read")


def test_who_answers_before_being_asked_and_reads_no_more_has_its_time(submission):
    body = FORGED.replace("return lines.readline() or os._exit(0)", "")
    path = submission(body + "\n    def f(z):\n        [answer(1) for _ in range(40)]\n        time.sleep(1000)\n")
    big = Call((Argument(np.ones(40_000)),))
    begun = time.monotonic()
    with OwnProcess(path, "f", time_limit=3) as candidate:
        outcomes = [candidate.call(big, 1) for _ in range(3)]
    assert outcomes[-1].fatal == "no answer within 3 s"
    assert time.monotonic() - begun < 20


def test_answers_without_end_are_not_kept(submission):
    body = FORGED.replace("return lines.readline() or os._exit(0)", "")
    path = submission(body + "\n    def f(z):\n        while True: answer(1)\n")
    with OwnProcess(path, "f", time_limit=3) as candidate:
        candidate.call(CALL, 1)
        time.sleep(0.5)
        assert 50 < candidate._pipes._answers.qsize() < 1000
