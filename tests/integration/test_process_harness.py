"""The harness itself: processes are watched through their logs, end by their handles, and with the tests."""
import os
import signal
import subprocess
import sys

import pytest

from harness.process import Process
from harness.waiting import Expired, wait_until

SLEEPER = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"]


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}")


def test_log_lines_are_waited_for(tmp_path, closing):
    process = closing(Process(SLEEPER, tmp_path / "log"))
    assert process.wait_log(r"^rea(dy)$")[1] == "dy"
    with pytest.raises(Expired, match="never"):
        process.wait_log("never", timeout=0.1)
    assert process.stop() == -signal.SIGTERM


def test_a_program_that_ends_too_early_is_told_at_once(tmp_path, closing):
    process = closing(Process([sys.executable, "-c", "print('oops'); exit(3)"], tmp_path / "log"))
    with pytest.raises(RuntimeError, match="ended with 3(.|\n)*oops"):
        process.wait_log("ready", timeout=30)


def test_a_second_run_reads_its_own_log(tmp_path, closing):
    closing(Process(SLEEPER, tmp_path / "log")).wait_log("ready")
    second = closing(Process([sys.executable, "-c", "pass"], tmp_path / "log"))
    assert second.wait() == 0 and second.log_text() == ""


def test_close_kills(tmp_path):
    with Process(SLEEPER, tmp_path / "log") as process:
        process.wait_log("ready")
    assert is_gone(process.pid)


def test_children_die_with_the_tests(tmp_path):
    """A test run that is killed has no teardown; the kernel ends what it started."""
    script = ("import os, sys; sys.path.insert(0, sys.argv[1]); from harness.process import Process;"
              "child = Process(sys.argv[3:], sys.argv[2]); child.wait_log('ready'); print(child.pid);"
              "sys.stdout.flush(); os.kill(os.getpid(), 9)")
    tests = os.path.dirname(os.path.dirname(__file__))
    done = subprocess.run([sys.executable, "-c", script, tests, tmp_path / "log", *SLEEPER],
                          stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(int(done.stdout)), what="the child ends")
