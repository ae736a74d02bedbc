"""Hostile submissions: each ends in a clean outcome, within its limits, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from softjac.check.model import Argument, Call, Outcome
from softjac.check.process import OwnProcess

Z = np.array([1.0, 2.0, 4.0])
CALL = Call((Argument(Z),))


@pytest.fixture
def submission(tmp_path):
    """Write a file; hand back its path."""

    def write(body, name="student.py"):
        path = tmp_path / name
        path.write_text("import os, sys, time\nimport numpy as np\n\n" + textwrap.dedent(body), encoding="utf-8")
        return str(path)

    return write


def outcome_of(path, name="f", call=CALL, outputs=1, **limits) -> Outcome:
    with OwnProcess(path, name, **({"time_limit": 20} | limits)) as candidate:
        assert candidate.could_not == ""
        return candidate.call(call, outputs)


def refusal_of(path, name="f", **limits) -> str:
    with OwnProcess(path, name, **({"time_limit": 20} | limits)) as candidate:
        reason = candidate.could_not
        assert candidate.call(CALL, 1).fatal == reason
        return reason


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


# What cannot be called at all.


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import no_such_module_of_mine", "it cannot be imported: ModuleNotFoundError: No module named"),
        ("def f(z)\n    return z", "SyntaxError: expected ':' (line 4)"),
        ("sys.exit(3)", "it cannot be imported: SystemExit: the code was 3 (line 4)"),
        ("os._exit(5)", "the process ended with code 5 while it is imported"),
        ("def softmax_jacobain(z): return z", "no function f: it has softmax_jacobain"),
        ("def g(z): return z\nf = 3", "f is no function but a int: it has g"),
        ("x = 1", "no function f: it has no function of its own"),
        ("raise ValueError('first\\nsecond')", "it cannot be imported: ValueError: first (line 4)"),
        ("raise KeyboardInterrupt", "it cannot be imported: KeyboardInterrupt (line 4)"),
        ("os.close(0); os.closerange(3, 100)", "the process closed the files through which it answers"),
    ],
)
def test_what_cannot_be_called_says_why(submission, body, words):
    assert refusal_of(submission(body)).startswith(words)


def test_a_misspelt_name_gets_the_nearest(submission):
    path = submission("def Softmax_Jacobian(z): return z\ndef other(z): return z")
    assert refusal_of(path, "softmax_jacobain") == "no function softmax_jacobain: did you mean Softmax_Jacobian?"


def test_a_file_with_one_function_needs_no_name(submission):
    assert refusal_of(submission("def f(z): return z\ndef g(z): return z"), "") == "name a function: it has f, g"
    with OwnProcess(submission("def f(z): return z\ndef _help(z): return z"), "") as candidate:
        assert candidate.facts.name == "f"


def test_there_is_no_such_file(tmp_path):
    assert refusal_of(str(tmp_path / "none.py")) == "there is no such file"


def test_a_loop_at_the_import_ends_at_the_limit(submission):
    begun = time.monotonic()
    reason = refusal_of(submission("while True: pass"), time_limit=1.5)
    assert reason == "no answer within 1.5 s while it is imported"
    assert time.monotonic() - begun < 6


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


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is RLIMIT_DATA of Linux")
def test_ten_gigabytes_at_the_import_are_refused(submission):
    assert refusal_of(submission("x = np.ones(10**10 // 8)")).startswith("it cannot be imported: MemoryError: ")


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


# What is returned.


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("None", "None"),
        ("'0.1 0.2'", "the str '0.1 0.2'"),
        ("(x for x in z)", "a generator"),
        ("{0: 1.0}", "a dict"),
        ("f", "a function"),
        ("z > 0", "bool array of shape (3,)"),
        ("z + 1j", "complex128 array of shape (3,)"),
        ("z.astype(object)", "object array of shape (3,)"),
        ("[[1.0, 2.0], [3.0]]", "list of 2 lists, whose parts have different lengths"),
        ("['a', 'b']", "a list with the str 'a' in it"),
        ("[None] * 3", "a list with None in it"),
        ("(1.0, z)", "tuple of 2 (float, ndarray), whose parts have different lengths"),
        ("np.broadcast_to(z, (10**6, 3))", "float64 array of shape (1000000, 3): 3e+06 numbers, too many to look at"),
        ("[0.0] * 10**7", "a list of more than 1e+06 numbers, too many to look at"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(submission, body, words):
    outcome = outcome_of(submission(f"def f(z):\n    return {body}"))
    assert outcome.unusable == words
    assert outcome.arrays == ()


@pytest.mark.parametrize(
    ("body", "expected", "library"),
    [
        ("z * np.nan", [np.nan] * 3, "numpy"),
        ("z.astype('f4')", [1, 2, 4], "numpy"),
        ("z.astype('f2')", [1, 2, 4], "numpy"),
        ("z.astype('longdouble')", [1, 2, 4], "numpy"),
        ("z.astype('>f8')", [1, 2, 4], "numpy"),
        ("z.tolist()", [1, 2, 4], "list"),
        ("tuple(z)", [1, 2, 4], "list"),
        ("[[1, 2], [3, 4.5]]", [[1, 2], [3, 4.5]], "list"),
        ("3", 3, "list"),
        ("z[1]", 2, "numpy"),
        ("np.asmatrix(z)", [1, 2, 4], "numpy"),
        ("np.ma.masked_array(z, [0, 1, 0])", [1, np.nan, 4], "numpy"),
        ("z[::-1]", [4, 2, 1], "numpy"),
        ("[]", [], "list"),
    ],
)
def test_what_is_an_array_of_numbers_comes_back(submission, body, expected, library):
    outcome = outcome_of(submission(f"def f(z):\n    return {body}"))
    np.testing.assert_array_equal(outcome.arrays[0], expected)
    assert outcome.library == library
    assert outcome.arrays[0].dtype.kind in "fi"


def test_two_outputs(submission):
    path = submission("def f(z):\n    return 1.5, z")
    value, gradient = outcome_of(path, outputs=2).arrays
    assert value == 1.5
    np.testing.assert_array_equal(gradient, Z)
    path = submission("def f(z):\n    return z")
    assert "a pair (value, gradient) was expected" in outcome_of(path, outputs=2).unusable


@pytest.mark.parametrize(
    ("body", "argument", "changed"),
    [
        ("z -= 1", Argument(Z), (0,)),
        ("z.shape = (3, 1)", Argument(Z), (0,)),
        ("z.append(1)", Argument(Z, "list"), (0,)),
        ("z = z - 1", Argument(Z), ()),
        ("z[0] = -0.0", Argument(np.array([0.0, np.nan])), (0,)),
        ("pass", Argument(np.array([0.0, np.nan])), ()),
    ],
)
def test_a_changed_input_is_seen(submission, body, argument, changed):
    outcome = outcome_of(submission(f"def f(z):\n    {body}\n    return 1.0"), call=Call((argument,)))
    assert outcome.error == ""
    assert outcome.changed == changed


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


def test_main_is_not_run(submission):
    assert outcome_of(submission("def f(z):\n    return z\nif __name__ == '__main__':\n    sys.exit(1)")).arrays


def test_a_neighbour_can_be_imported_and_nothing_is_written(submission, tmp_path):
    submission("def g(z): return z + 1", "neighbour.py")
    path = submission("from neighbour import g\ndef f(z): return g(z)")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z + 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["neighbour.py", "student.py"]


@pytest.mark.parametrize("name", ["random.py", "a b:c.py", "numpy.py", "ünï.py"])
def test_odd_file_names(submission, name):
    np.testing.assert_array_equal(outcome_of(submission("def f(z): return z", name)).arrays[0], Z)


@pytest.mark.skipif(os.name == "nt", reason="fork")
def test_a_fork_answers_once_and_is_ended(submission):
    path = submission("""
    def f(z):
        pid = os.fork()
        if pid == 0:
            time.sleep(0 if z[0] else 100)
        return z + (pid == 0)
    """)
    with OwnProcess(path, "f", time_limit=20) as candidate:
        first, second = candidate.call(CALL, 1), candidate.call(CALL, 1)
    np.testing.assert_array_equal(first.arrays[0], Z)
    np.testing.assert_array_equal(second.arrays[0], Z)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_nothing_runs_on(submission, tmp_path):
    pids = tmp_path / "pids"
    path = submission(f"""
    import subprocess, threading

    def f(z):
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
        threading.Thread(target=lambda: time.sleep(100)).start()
        with open({str(pids)!r}, "w") as file:
            file.write(f"{{os.getpid()}} {{other.pid}}")
        return z
    """)
    begun = time.monotonic()
    assert outcome_of(path).arrays
    assert time.monotonic() - begun < 10
    time.sleep(0.2)
    for pid in pids.read_text().split():
        state = Path(f"/proc/{pid}/stat")
        assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
    with pytest.raises(ChildProcessError):
        os.waitpid(int(pids.read_text().split()[0]), os.WNOHANG)


@pytest.mark.skipif(os.name == "nt", reason="sessions of POSIX")
def test_what_got_away_does_not_hold_the_report_up(submission):
    path = submission("""
    import subprocess

    def f(z):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(6)"], start_new_session=True)
        return z
    """)
    begun = time.monotonic()
    with OwnProcess(path, "f", time_limit=20) as candidate:
        assert candidate.call(CALL, 1).arrays
        pipes = candidate._pipes
    assert time.monotonic() - begun < 5
    for thread in pipes._threads:
        thread.join(10)  # until it ends
    streams = (pipes._process.stdin, pipes._process.stdout, pipes._process.stderr)
    assert [stream.closed for stream in streams] == [True] * 3


def test_no_pipe_is_left_open_where_no_thread_can_be_started(submission, monkeypatch):
    started = []
    start = threading.Thread.start

    def one_alone(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", one_alone)
    made = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: made.append(popen(*args, **options)) or made[0])
    with OwnProcess(submission("def f(z): return z"), "f") as candidate:
        assert candidate.could_not == "no process can be started: can't start new thread"
    assert made[0].returncode is not None
    assert [stream.closed for stream in (made[0].stdin, made[0].stdout, made[0].stderr)] == [True] * 3


def test_the_process_ends_with_the_one_who_asks(submission, tmp_path):
    path = submission("def f(z): return z")
    pid = tmp_path / "pid"
    code = f"""
import numpy as np, os
from softjac.check.process import OwnProcess
candidate = OwnProcess({path!r}, "f")
candidate.facts
open({str(pid)!r}, "w").write(str(candidate._pipes._process.pid))
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    for _ in range(50):
        if not Path(f"/proc/{pid.read_text()}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{pid.read_text()}").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_the_process_too(submission, tmp_path):
    pid = tmp_path / "pid"
    path = submission(f"open({str(pid)!r}, 'w').write(str(os.getpid()))\nwhile True: pass")
    code = f"""
import os, sys
from softjac.check.process import OwnProcess
with OwnProcess({path!r}, "f") as candidate:
    candidate.facts
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as asking:
        for _ in range(100):
            if pid.exists() and pid.read_text():
                break
            time.sleep(0.1)
        asking.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in asking.stderr.read()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_thirty_start_in_seconds(submission):
    path = submission("def f(z): return z")
    begun = time.monotonic()
    for _ in range(5):
        assert outcome_of(path).arrays
    assert time.monotonic() - begun < 8


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_submission_ends_with_the_checker(tmp_path):
    file, told = tmp_path / "hangs.py", tmp_path / "pid"
    file.write_text(
        f"import os, time\nopen({str(told)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\ndef f(z): 1\n"
    )
    code = f"import softjac; softjac.check({str(file) + ':f'!r}, 'softmax')"
    checker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    try:
        wait_for(lambda: told.exists() and told.read_text())
    finally:
        checker.kill()
        checker.wait()
    pid = int(told.read_text())
    wait_for(lambda: not is_running(pid))


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
