"""kill -9 at every named point and every fault of the target, under load; one oracle.

Always: what Postgres was told (flush) <= what the state file has (checkpoint); the version of a document never
decreases while it stays present; no aborted row is ever written. At the end, when the delete journal is empty:
documents = rows."""
import random
import re
import signal
import sqlite3
import threading
import time

import pytest

from harness.mirror import check_journal, documents, wait_mirrored
from harness.paths import TOP
from harness.postgres import lsn_number
from harness.waiting import wait_until
from harness.workload import ABORTED, COLUMNS, QUERY, TABLE, Workload

POINTS = sorted({name for path in (TOP / "src").rglob("*.c")
                 for name in re.findall(r'fault_point\("([a-z_.]+)"\)', path.read_text(encoding="utf-8"))
                 if path.parent.name != "base"})
START_POINTS = [name for name in POINTS if name.startswith("start.")]
RUN_POINTS = [name for name in POINTS if not name.startswith("start.")]

# How often a point is passed before the process dies there: the busy ones later.
PASSAGES = {"intake.change": 400, "intake.commit": 60, "write.before": 12, "write.after": 12}

FAULTS = [
    [{"match": {"op": "write"}, "action": "status", "status": 429, "retry_after_ms": 30, "times": 4}],
    [{"match": {"op": "write"}, "action": "status", "status": 503, "every": 3, "times": 6}],
    [{"match": {"op": "write"}, "action": "status", "status": 500, "times": 3, "plain": True}],
    [{"match": {"op": "write"}, "action": "delay", "delay_ms": 300, "every": 4, "times": 5}],
    [{"match": {"op": "write"}, "action": "reset_before", "every": 3, "times": 6}],
    [{"match": {"op": "write"}, "action": "reset_after", "every": 3, "times": 6}],
    [{"match": {"op": "write"}, "action": "accepted_202", "apply_after": 4, "every": 5, "times": 3}],
    [{"match": {"op": "write"}, "action": "apply_later", "apply_after": 6, "every": 4, "times": 4}],
]

MORE = '[target.schema]\nletter = { type = "string", filterable = false }\n'


def state(project):
    """(flow checkpoint, journal entries) as the state file has them; read by SQLite itself, not by us."""
    with sqlite3.connect(f"file:{next((project.folder / 'puffgres/state').glob('*.db'))}?mode=ro", uri=True) as file:
        tables = [name for name, in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        flow = next(name for name in tables if name == "__puffgres_flow")
        checkpoint = file.execute(f"SELECT checkpoint FROM {flow}").fetchone()
        journal = file.execute("SELECT count(*) FROM __puffgres_journal").fetchone()[0]
    return lsn_number(checkpoint[0]) if checkpoint and checkpoint[0] else 0, journal


def check_oracle(project, server, local, slot="puffgres"):
    """While puffgres is dead: nothing moves."""
    row = server.slot(slot)
    if row and row["confirmed_flush_lsn"]:
        checkpoint, _ = state(project)
        assert lsn_number(row["confirmed_flush_lsn"]) <= max(checkpoint, lsn_number(row["restart_lsn"])) or \
            checkpoint == 0, "Postgres was told more than the state file has"
    check_journal(local)
    for entry in local.journal()["entries"]:
        assert not isinstance(entry["id"], int) or entry["id"] < ABORTED, f"an aborted row was written: {entry}"


def settle(project, database, local, run_puffgres):
    """Let everything arrive that may, then compare."""
    local.faults()
    run = run_puffgres()
    run.wait_log("streaming")
    local.apply_later_now()
    wait_until(lambda: state(project)[1] == 0, 30, "the delete journal is empty")
    wait_mirrored(database, local, QUERY, "accounts", timeout=30)
    check_journal(local)
    assert run.stop() == 0


@pytest.fixture
def accounts(project, database):
    database.execute(TABLE)
    project.migration("accounts", "accounts", columns=COLUMNS, more=MORE)
    project.ok("migrate")
    return database


def kills(project, accounts, local, run_puffgres, rounds, seed):
    rng = random.Random(seed)
    points = [RUN_POINTS[n % len(RUN_POINTS)] for n in range(rounds)]
    rng.shuffle(points)
    died = 0
    with Workload(accounts, seed=seed):
        for n, point in enumerate(points):
            passage = rng.randint(1, PASSAGES.get(point, 3))
            local.faults(*rng.choice(FAULTS)) if rng.random() < 0.6 else local.faults()
            run = run_puffgres(env={"PUFFGRES_KILL_AT": f"{point}:{passage}"})
            try:
                wait_until(lambda: not run.alive, 4, f"dies at {point}")
                assert run.child.returncode == -9, run.log_text()[-2000:]
                died += 1
            except AssertionError:
                if not run.alive:
                    raise
                run.kill()  # the point was not passed (no dead letter, no journal): die here instead
            check_oracle(project, accounts.server, local)
            local.faults()
    settle(project, accounts, local, run_puffgres)
    assert died >= rounds // 3, f"only {died} of {rounds} died at their point"


def test_kills_at_named_points_under_load(project, accounts, local, run_puffgres):
    kills(project, accounts, local, run_puffgres, rounds=20, seed=1)


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_kills(project, accounts, local, run_puffgres, seed):
    kills(project, accounts, local, run_puffgres, rounds=20, seed=100 + seed)


@pytest.mark.parametrize("point", START_POINTS)
def test_kill_while_starting(project, accounts, local, run_puffgres, point):
    """Rows that are written after the first start has begun are there in the end, wherever it died."""
    run = run_puffgres(env={"PUFFGRES_KILL_AT": point})
    assert run.wait(20) == -9, f"{point} is not passed at the first start"
    run = run_puffgres()
    run.wait_log("streaming")
    accounts.execute("INSERT INTO accounts VALUES (1, 'a', 1, true, 'x')")
    wait_mirrored(accounts, local, QUERY, "accounts")
    assert accounts.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 1
    assert run.stop() == 0


@pytest.mark.parametrize("fault", range(len(FAULTS)))
def test_every_fault_of_the_target_under_load(project, accounts, local, run_puffgres, fault):
    run = run_puffgres()
    run.wait_log("streaming")
    with Workload(accounts, seed=fault + 50) as load:
        for _ in range(3):
            local.faults(*FAULTS[fault])
            goal = load.changes + 150
            wait_until(lambda: load.changes > goal, 20, "the workload goes on")
    assert run.alive, run.log_text()[-3000:]
    assert run.stop() == 0
    check_oracle(project, accounts.server, local)
    settle(project, accounts, local, run_puffgres)


def sample_order(project, accounts, local, known, floor):
    """Once flush <= checkpoint <= durable. Each is read after the one that is greater or equal to it may only have
    grown, so no order of events can make a true statement look false. Durable is what the target shows."""
    flush = lsn_number(accounts.server.slot("puffgres")["confirmed_flush_lsn"])
    checkpoint, _ = state(project)
    present = documents(local, "accounts").keys()
    assert flush <= max(checkpoint, floor), "Postgres was told more than the state file has"
    missing = [one for one, end in known.items() if end <= checkpoint and one not in present]
    assert not missing, f"below the checkpoint and not in the target: {missing[:10]}"
    return checkpoint


@pytest.mark.parametrize("lanes", [1, 4])
def test_rule_07_flush_checkpoint_durable_in_this_order_at_all_times(project, accounts, local, run_puffgres, lanes):
    """rule_06 too: rows are only ever added, each with a position that its commit ended before; faults and kills."""
    path = project.migration("accounts", "accounts", columns=COLUMNS, more=f"lanes = {lanes}\n" + MORE)
    path.write_text(path.read_text().replace("version = 1", "version = 2"))
    project.ok("migrate")
    rng, known, checkpoints, stopping = random.Random(lanes), {}, set(), threading.Event()

    def write():
        with accounts.connect() as connection:
            for one in range(1, 1_000_000):
                if stopping.is_set():
                    return
                connection.execute("INSERT INTO accounts VALUES (%s, 'o', 1, true, 'x')", (one,))
                known[one] = lsn_number(connection.execute("SELECT pg_current_wal_lsn()").fetchone()[0])
                time.sleep(0.002)
    writer = threading.Thread(target=write)
    run = run_puffgres()
    run.wait_log("streaming")
    floor = lsn_number(accounts.server.slot("puffgres")["confirmed_flush_lsn"])  # where the slot was made
    writer.start()
    try:
        for turn in range(8):
            local.faults(*FAULTS[(turn + lanes) % len(FAULTS)])
            until = time.monotonic() + 0.8
            while time.monotonic() < until:
                checkpoints.add(sample_order(project, accounts, local, dict(known), floor))
            if turn % 3 == 2:
                run.kill() if rng.random() < 0.5 else run.stop()
                sample_order(project, accounts, local, dict(known), floor)
                run = run_puffgres()
    finally:
        stopping.set()
        writer.join(10)
    assert len(checkpoints) > 10, "the checkpoint hardly moved: the samples say nothing"
    run.stop()
    settle(project, accounts, local, run_puffgres)


def test_rule_19_a_zombie_cannot_bring_a_deleted_row_back(project, accounts, local, run_puffgres):
    """The write of facts 4.3: it timed out, its retry succeeded, the row was deleted, and then it arrives."""
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "apply_later", "times": 1})
    accounts.execute("INSERT INTO accounts VALUES (1, 'zombie', 1, true, 'x')")
    wait_until(lambda: 1 in documents(local, "accounts"), 10, "the retry has written the row")
    accounts.execute("DELETE FROM accounts WHERE id = 1")
    wait_until(lambda: documents(local, "accounts") == {}, 10, "the row is deleted")
    local.apply_later_now()
    assert 1 in documents(local, "accounts"), "the zombie did not arrive: the test shows nothing"
    wait_until(lambda: documents(local, "accounts") == {}, 15, "the delete is repeated")
    wait_until(lambda: state(project)[1] == 0, 15, "the delete journal is empty")
    assert run.stop() == 0


def test_rule_20_a_tombstone_stops_a_zombie_by_itself(project, accounts, local, run_puffgres):
    project.migration("accounts", "accounts", columns=COLUMNS, more='[deletes]\nmode = "tombstone"\n' + MORE)
    text = (project.folder / "puffgres/migrations/001_accounts.toml").read_text().replace("version = 1", "version = 2")
    project.write("puffgres/migrations/001_accounts.toml", text)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "apply_later", "times": 1})
    accounts.execute("INSERT INTO accounts VALUES (1, 'zombie', 1, true, 'x')")
    wait_until(lambda: 1 in documents(local, "accounts"), 10, "the retry has written the row")
    accounts.execute("DELETE FROM accounts WHERE id = 1")
    wait_until(lambda: documents(local, "accounts") == {}, 10, "the row is a tombstone")
    local.apply_later_now()
    assert documents(local, "accounts") == {}
    assert run.stop() == 0


def test_target_that_is_dead_for_a_while(project, accounts, local, run_puffgres):
    """Postgres goes on hearing from us; nothing is acknowledged; everything arrives when the target is back."""
    run = run_puffgres()
    run.wait_log("streaming")
    accounts.execute("INSERT INTO accounts VALUES (1, 'first', 1, true, 'x')")
    wait_mirrored(accounts, local, QUERY, "accounts")
    local.kill()
    accounts.execute("INSERT INTO accounts SELECT i, 'later', i, false, 'y' FROM generate_series(2, 5000) i")
    run.wait_log("trying again")
    before = accounts.server.slot("puffgres")["confirmed_flush_lsn"]
    assert accounts.server.slot("puffgres")["active"]
    local.start()
    run.wait_log("streaming")
    wait_until(lambda: len(documents(local, "accounts")) == 4999, 60, "what was pending arrives")
    wait_until(lambda: lsn_number(accounts.server.slot("puffgres")["confirmed_flush_lsn"]) > lsn_number(before), 15,
               "and is acknowledged")
    assert run.stop() == 0


def test_a_second_signal_leaves_at_once(project, accounts, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 30000, "times": 0})
    accounts.execute("INSERT INTO accounts VALUES (1, 'slow', 1, true, 'x')")
    time.sleep(0.5)
    run.send(signal.SIGTERM)
    time.sleep(0.3)
    run.send(signal.SIGTERM)
    assert run.wait(3) == 143
    local.faults()
    settle(project, accounts, local, run_puffgres)


def test_a_stop_during_a_write_ends_within_its_bound(project, accounts, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 60000, "times": 0})
    accounts.execute("INSERT INTO accounts VALUES (1, 'slow', 1, true, 'x')")
    time.sleep(0.5)
    begin = time.monotonic()
    assert run.stop(timeout=10) == 0
    assert time.monotonic() - begin < 9
    local.faults()
    settle(project, accounts, local, run_puffgres)
