"""What machines and people do to the state file and to the process while it works."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import pytest

from harness.mirror import wait_mirrored
from harness.paths import program
from harness.postgres import lsn_number
from harness.waiting import wait_until

TABLE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text)"
ALL = "SELECT * FROM notes"


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"])
    return database


def told(database, slot="puffgres"):
    return lsn_number(database.server.slot(slot)["confirmed_flush_lsn"])


@contextlib.contextmanager
def small_disk(folder, size="512k"):
    """A disk of that size at the folder; fill() leaves no byte, clear() gives them back."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True,
                          check=False)
    if done.returncode:
        pytest.skip("no right to mount a small disk")

    class Disk:
        def fill(self):
            with contextlib.suppress(OSError), open(folder / "ballast", "ab", buffering=0) as ballast:
                while True:
                    ballast.write(b"x" * 4096)

        def clear(self):
            (folder / "ballast").unlink(missing_ok=True)
    try:
        yield Disk()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_holds_the_checkpoint_and_nothing_is_lost(project, notes, local, run_puffgres):
    with small_disk(project.folder / "puffgres/state") as disk:
        project.ok("migrate")
        run = run_puffgres()
        run.wait_log("streaming")
        notes.execute("INSERT INTO notes VALUES (1, 'before')")
        wait_mirrored(notes, local, ALL, "notes")
        disk.fill()
        notes.execute("INSERT INTO notes SELECT i, repeat('x', 100) FROM generate_series(2, 500) i")
        run.wait_log("checkpoint not saved, trying again", 20)
        before = told(notes)
        for i in range(1000, 1040):
            notes.execute("INSERT INTO notes VALUES (%s, 'full')", (i,))
        time.sleep(1)
        assert run.alive, run.log_text()[-3000:]
        assert told(notes) == before, "acknowledged what was not recorded"
        project.ok("status")
        disk.clear()
        wait_mirrored(notes, local, ALL, "notes")
        wait_until(lambda: told(notes) > before, 20, "the slot moves on")
        disk.fill()
        notes.execute("INSERT INTO notes VALUES (5000, 'full at the end')")
        wait_until(lambda: run.log_text().count("checkpoint not saved") > 1, 15, "the disk is full again")
        assert run.stop() == 0, "an orderly stop that could not record everything is no failure"
        disk.clear()


def test_rule_19_a_full_disk_while_requests_time_out_ends_nothing(project, notes, local, run_puffgres):
    """A request of unknown outcome has to be recorded; with no room for that, the lane waits."""
    with small_disk(project.folder / "puffgres/state") as disk:
        project.ok("migrate")
        run = run_puffgres()
        run.wait_log("streaming")
        notes.execute("INSERT INTO notes VALUES (1, 'before')")
        wait_mirrored(notes, local, ALL, "notes")
        disk.fill()
        local.faults({"match": {"op": "write"}, "action": "reset_after", "times": 2})
        notes.execute("INSERT INTO notes VALUES (2, 'unknown')")
        notes.execute("DELETE FROM notes WHERE id = 1")
        time.sleep(3)
        assert run.alive, run.log_text()[-3000:]
        disk.clear()
        wait_mirrored(notes, local, ALL, "notes")
        assert run.stop() == 0


def test_a_full_disk_while_a_dead_letter_is_kept(project, notes, local, run_puffgres):
    with small_disk(project.folder / "puffgres/state") as disk:
        project.ok("migrate")
        run = run_puffgres()
        run.wait_log("streaming")
        disk.fill()
        notes.execute("INSERT INTO notes VALUES (-1, 'never')")
        time.sleep(2)
        assert run.alive, run.log_text()[-3000:]
        notes.execute("INSERT INTO notes VALUES (1, 'after')")
        disk.clear()
        wait_mirrored(notes, local, "SELECT * FROM notes WHERE id > 0", "notes")
        assert "-1" in project.ok("dlq", "list")
        assert run.stop() == 0


def test_a_full_disk_at_the_start(project, notes, local, run_puffgres):
    with small_disk(project.folder / "puffgres/state") as disk:
        disk.fill()
        done = project.command("migrate")
        assert done.returncode not in (0, 70, -6, -11), done.stderr
        assert "space" in done.stderr
        disk.clear()
        project.ok("migrate")
        disk.fill()
        run = run_puffgres()
        time.sleep(2)
        disk.clear()
        run.wait_log("streaming", 40)
        notes.execute("INSERT INTO notes VALUES (1, 'a')")
        wait_mirrored(notes, local, ALL, "notes")
        assert run.stop() == 0


@pytest.mark.parametrize("what", ["deleted", "swapped", "emptied", "garbage"])
def test_the_state_file_is_taken_away_while_running(project, notes, local, run_puffgres, what):
    """Whatever happens to the file: the next start never begins beyond what was lost, or refuses."""
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'first')")
    wait_mirrored(notes, local, ALL, "notes")
    state = project.folder / "puffgres/state"
    file = next(state.glob("*.db"))
    if what == "deleted":
        for each in state.iterdir():
            each.unlink()
    elif what == "swapped":
        for each in list(state.iterdir()):
            each.rename(each.with_name("old-" + each.name))
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE t (x)")
        other.close()
    elif what == "emptied":
        os.truncate(file, 0)
    else:
        file.write_bytes(os.urandom(65536))
    notes.execute("INSERT INTO notes SELECT i, 'later' FROM generate_series(2, 50) i")
    time.sleep(3)
    if run.alive:
        status = run.stop()
    else:
        status = run.child.returncode
    assert status in (0, 78), (status, run.log_text()[-2000:])
    done = project.command("status")
    assert done.returncode in (0, 78), (done.returncode, done.stderr)
    again = run_puffgres()
    with contextlib.suppress(Exception):
        again.wait_log("streaming", 5)
        notes.execute("INSERT INTO notes VALUES (1000, 'again')")
        wait_mirrored(notes, local, ALL, "notes")
        assert again.stop() == 0
        return
    assert again.wait(5) in (78, 1), again.log_text()[-3000:]


def test_a_read_only_state_folder(project, notes, local):
    state = project.folder / "puffgres/state"
    with small_disk(state):
        subprocess.run(["mount", "-o", "remount,ro", str(state)], check=True)
        for command in ("migrate", "run"):
            done = project.command(command, timeout=30)
            assert done.returncode == 78, (command, done.returncode, done.stderr)
            assert "writable" in done.stderr, done.stderr
        assert project.command("status").returncode in (0, 78)


def test_stopped_for_a_while_and_continued(project, notes, local, run_puffgres):
    notes.server.admin.execute("ALTER SYSTEM SET wal_sender_timeout = '2s'")
    notes.server.admin.execute("SELECT pg_reload_conf()")
    try:
        project.ok("migrate")
        run = run_puffgres()
        run.wait_log("streaming")
        for pause in (0.5, 3, 6):
            run.send(signal.SIGSTOP)
            notes.execute("INSERT INTO notes SELECT i, 'p' FROM generate_series("
                          "(SELECT coalesce(max(id), 0) + 1 FROM notes), (SELECT coalesce(max(id), 0) + 500 FROM notes)) i")
            time.sleep(pause)
            run.send(signal.SIGCONT)
            wait_mirrored(notes, local, ALL, "notes", timeout=30)
        assert run.stop() == 0
    finally:
        notes.server.admin.execute("ALTER SYSTEM RESET wal_sender_timeout")
        notes.server.admin.execute("SELECT pg_reload_conf()")


def test_migrate_killed_at_odd_moments(project, notes, local, run_puffgres):
    for delay in (0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05):
        child = subprocess.Popen([program("puffgres"), "migrate"], cwd=project.folder, env=project.environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        child.kill()
        child.wait()
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a')")
    wait_mirrored(notes, local, ALL, "notes")
    assert run.stop() == 0
