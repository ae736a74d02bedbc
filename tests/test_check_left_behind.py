"""A process ends with the examination, and with it what it started; no pipe and no thread is left."""

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

from check_submissions import CALL, Z, is_running, outcome_of, wait_for
from softjac.check.process import OwnProcess


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
import signal
from softjac.check.process import OwnProcess
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
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


ESCAPES = {
    "session": "other = subprocess.Popen(SLEEP, start_new_session=True).pid",
    "session without pipes": """
        nothing = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        other = subprocess.Popen(SLEEP, start_new_session=True, **nothing).pid
    """,
    "two forks": """
        back, to = os.pipe()
        if not os.fork():
            os.setsid()
            if os.fork():
                os._exit(0)
            os.write(to, str(os.getpid()).encode())
            os.execv(sys.executable, SLEEP)
        other = int(os.read(back, 20))
    """,
    "stopped": "other = subprocess.Popen(SLEEP, start_new_session=True).pid; os.kill(other, 19)",
    "a shell and its child": """
        words = f"{SLEEP[0]} -c 'import time; time.sleep(100)' & echo $!; wait"
        shell = subprocess.Popen(words, shell=True, start_new_session=True, stdout=subprocess.PIPE)
        other = int(shell.stdout.readline())
    """,
}
ENDS = {
    "return z": "",
    "os._exit(7)": "the process ended with code 7",
    "os.kill(os.getpid(), 11)": "the process ended by SIGSEGV (a segmentation fault)",
    "while True: pass": "no answer within 3 s",
}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone hands what has no parent to one above")
@pytest.mark.parametrize(
    ("escape", "end"), [*[(escape, "return z") for escape in ESCAPES], *[("two forks", end) for end in ENDS]]
)
def test_what_begins_a_session_of_its_own_ends_too(submission, tmp_path, escape, end):
    told = tmp_path / "pid"
    lines = textwrap.indent(textwrap.dedent(ESCAPES[escape]), "    ")
    path = submission(
        "import subprocess\nSLEEP = [sys.executable, '-c', 'import time; time.sleep(100)']\n\n"
        f"def f(z):\n{lines}\n    open({str(told)!r}, 'w').write(str(other))\n    {end}\n"
    )
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
    try:
        begun = time.monotonic()
        assert outcome_of(path, time_limit=3).fatal == ENDS[end]
        assert time.monotonic() - begun < 6
        wait_for(lambda: not is_running(int(told.read_text())))
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_session_of_its_own_ends_with_the_checker(submission, tmp_path):
    told = tmp_path / "pid"
    path = submission(f"""
    import subprocess
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
    open({str(told)!r}, "w").write(str(other.pid))
    time.sleep(100)
    """)
    code = f"import softjac; softjac.check({path + ':f'!r}, 'softmax')"
    checker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    try:
        wait_for(lambda: told.exists() and told.read_text())
    finally:
        checker.kill()
        checker.wait()
    wait_for(lambda: not is_running(int(told.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="the process between is Linux's")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("os.kill(os.getppid(), 9)", "the process ended by SIGKILL"),
        ("os.kill(os.getppid(), 15)", "the process ended by SIGTERM"),
        ("os.kill(os.getppid(), 19)", "no answer within 2 s"),
        ("os.killpg(0, 9)", "the process ended by SIGKILL"),
    ],
)
def test_the_process_between_is_attacked(submission, tmp_path, line, words):
    told = tmp_path / "pid"
    body = f"open({str(told)!r}, 'w').write(str(os.getpid()))\n    {line}\n    time.sleep(100)"
    begun = time.monotonic()
    assert outcome_of(submission(f"def f(z):\n    {body}"), time_limit=2).fatal.startswith(words)
    assert time.monotonic() - begun < 6
    wait_for(lambda: not is_running(int(told.read_text())))
