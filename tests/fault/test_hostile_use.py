"""People and their machines: command lines, files, environments, ports, and what must never be printed."""
import json
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from harness.local import Local
from harness.mirror import documents, wait_mirrored
from harness.paths import program
from harness.ports import free_port
from harness.postgres import Database, Postgres, as_server_user, run_quietly
from harness.process import Process
from harness.puffgres import Project
from harness.waiting import wait_until

TABLE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text)"
ALL = "SELECT * FROM notes"


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"])
    project.ok("migrate")
    return database


BAD_FILES = {
    "binary": bytes(range(256)) * 20, "nul": b"[postgres]\n\x00", "100 MB": b"# x\n" * 26_000_000, "empty": b"",
    "bom only": b"\xef\xbb\xbf", "latin-1": b"[postgres]\nconnection_string = \"caf\xe9\"\n",
    "deep": b"a = " + b"[" * 200_000, "long line": b"a = \"" + b"x" * 5_000_000 + b"\"\n",
    "many keys": b"".join(b"k%d = 1\n" % i for i in range(20_000)), "utf-16": "[postgres]".encode("utf-16"),
    "a control character": b"[postgres]\nconnection_string = \"a\x1b[31m\"\n", "unclosed": b"[postgres",
    "a colour in a key": b"[\"\x1b[31mred\"]\nx = 1\n",
}


@pytest.mark.parametrize("which", ["puffgres.toml", "puffgres/migrations/001_notes.toml"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_are_no_files(project, notes, which, name):
    (project.folder / which).write_bytes(BAD_FILES[name])
    for command in ("check", "migrate", "run", "status"):
        begin = time.monotonic()
        done = subprocess.run([program("puffgres"), command], cwd=project.folder, env=project.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        assert time.monotonic() - begin < 20
        if command == "status" and done.returncode == 0:
            continue
        assert done.returncode == 78, (command, done.returncode, done.stderr[-500:], done.stdout[-500:])
        assert b"\x1b" not in done.stderr + done.stdout and len(done.stderr + done.stdout) < 4_000_000
        (done.stderr + done.stdout).decode("utf-8")


def test_a_byte_order_mark_and_crlf_are_read(project, notes):
    for which in ("puffgres.toml", "puffgres/migrations/001_notes.toml"):
        text = (project.folder / which).read_bytes()
        (project.folder / which).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    project.ok("check")


@pytest.mark.parametrize("args, status", [
    ([], (0, 64)), (["nonsense"], (64,)), (["run", "extra"], (64,)), (["run", "--slot"], (64,)), (["run", "--slot="], (64, 78)),
    (["run", "--slot", "UPPER case!"], (64, 78)), (["run", "--slot", "x" * 64], (64, 78)), (["run", "--from-lsn", "0/0"], (64, 78)),
    (["run", "--from-lsn", "FFFFFFFF/FFFFFFFF"], (64, 78)), (["run", "--from-lsn", "1/2/3"], (64,)),
    (["run", "--metrics-listen", "99999"], (64, 78)), (["run", "--metrics-listen", "nowhere.invalid:80"], (64, 78)),
    (["run", "--metrics-listen", "256.1.1.1:80"], (64, 78)), (["dlq"], (0, 64)), (["dlq", "show"], (64,)),
    (["dlq", "show", "99999999999999999999"], (64, 78, 1)), (["dlq", "show", "1"], (64, 78, 1)), (["dlq", "show", "-1"], (64, 78, 1)),
    (["status", "--config", "/does/not/exist"], (78,)), (["status", "--config", "/"], (78,)), (["status", "--config", "/dev/null"], (78,)),
    (["status", "--config", ""], (64, 78)), (["--log-format", "xml", "run"], (64,)), (["run", "--\xff"], (64,)),
    (["init", "/proc/nope"], (78, 1, 73)), (["run", "-" * 100_000], (64,)), (["check", "--create-slot=maybe"], (64,)),
])
def test_command_lines_nobody_meant(project, notes, args, status):
    done = project.command(*args, timeout=30)
    assert done.returncode in status, (done.returncode, done.stdout[-300:], done.stderr[-300:])
    if done.returncode:
        assert done.stderr.strip()


@pytest.mark.parametrize("name, value", [
    ("DATABASE_URL", ""), ("DATABASE_URL", "nonsense"), ("DATABASE_URL", "postgresql://"), ("TURBOPUFFER_API_KEY", ""),
    ("TURBOPUFFER_BASE_URL", ""), ("TURBOPUFFER_BASE_URL", "ftp://x"), ("TURBOPUFFER_BASE_URL", "http://user:pw@h/"),
    ("TURBOPUFFER_API_KEY", "a\nb: c"), ("TURBOPUFFER_API_KEY", "x" * 100_000), ("PUFFGRES_LOG", "nonsense"),
    ("PUFFGRES_LOG", ""), ("RUST_LOG", "puffgres=trace,hyper=off"), ("TURBOPUFFER_BASE_URL", "file:///etc/passwd"),
])
def test_environments_nobody_meant(project, notes, closing, name, value):
    done = project.command("check", env={name: value}, timeout=45)
    assert done.returncode in (0, 78, 64), (done.returncode, done.stderr)
    if "LOG" not in name:
        assert done.returncode == 78, done.stdout + done.stderr


SECRETS = ("s3cr3t-pass word%", "s3cr3t-pass%20word%25", "tpuf_s3cr3t_key")


def test_secrets_are_never_printed(project, notes, local, run_puffgres, closing):
    """Whatever goes wrong with them: not in logs, errors, status, dead letters, metrics, or a /proc that others read."""
    notes.server.admin.execute(f"DROP ROLE IF EXISTS keeper; CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{SECRETS[0]}'")
    url = notes.url(user="keeper", password=SECRETS[0])
    words = f"host=127.0.0.1 port={notes.server.port} dbname={notes.name} user=keeper password='{SECRETS[0]}'"
    said = ""
    port = free_port()
    for log in ("trace", "debug"):
        for form in (url, words, url.replace(str(notes.server.port), "1"), url + "?nonsense=1", url + "&bad", url.replace("127.0.0.1", "no.invalid"),
                     words + " nonsense=1", words.replace("dbname=", "dbname=not"), url.replace("keeper:", "other:"),
                     words.replace("'", ""), url.replace("postgresql://", "postgres:/"), url.replace("%25", "%2")):
            env = {"DATABASE_URL": form, "TURBOPUFFER_API_KEY": SECRETS[2], "PUFFGRES_LOG": log}
            done = project.command("check", env=env, timeout=60)
            said += done.stdout + done.stderr
            run = run_puffgres("--metrics-listen", str(port), env=env)
            time.sleep(0.4)
            said += project.command("status", env=env).stdout + project.command("status", "--json", env=env).stdout
            try:
                said += urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=3).read().decode()
            except OSError:
                pass
            run.stop()
            said += run.log_text()
        local.faults({"match": {"op": "write"}, "action": "status", "status": 401, "times": 1})
        notes.execute("INSERT INTO notes VALUES (%s, 'x')", (len(said),))
        run = run_puffgres(env={"DATABASE_URL": url, "TURBOPUFFER_API_KEY": SECRETS[2], "PUFFGRES_LOG": log})
        time.sleep(1)
        run.stop() if run.alive else None
        said += run.log_text()
        local.faults()
    for file in (project.folder / "puffgres/state").iterdir():
        said += file.read_bytes().decode("latin-1")
    for secret in (*SECRETS, "s3cr3t"):
        at = said.find(secret)
        assert at < 0, said[max(0, at - 300):at + 100]


def test_a_metrics_port_that_is_taken(project, notes):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = project.command("run", "--metrics-listen", str(taken.getsockname()[1]), timeout=20)
        assert done.returncode == 78 and str(taken.getsockname()[1]) in done.stderr


def test_logs_in_json_stay_json(project, database, local, run_puffgres):
    odd = 'te"x\\t\n\u2028\x7f'
    name = odd.replace('"', '""')
    database.execute(f'CREATE TABLE "{name}" (id bigint PRIMARY KEY, "{name}" text)')
    project.write("puffgres/migrations/001_odd.toml", f"""
[migration]
name = "odd"
version = 1
[source]
schema = "public"
table = {json.dumps(odd)}
[mapping]
id = "id"
columns = ["id", {json.dumps(odd)}]
[target]
namespace = "odd"
""")
    project.ok("migrate")
    run = run_puffgres("--log-format", "json", env={"PUFFGRES_LOG": "trace"})
    run.wait_log("streaming")
    database.execute(f'INSERT INTO "{name}" VALUES (-5, %s), (1, %s)', (odd * 500, odd))
    wait_until(lambda: 1 in documents(local, "odd"), 10, "the row")
    database.execute(f'ALTER TABLE "{name}" DROP COLUMN "{name}"; INSERT INTO "{name}" VALUES (2)')
    run.wait_log("mapping stopped")
    json.loads(project.ok("status", "--json"))
    json.loads(project.ok("dlq", "list", "--json"))
    json.loads(project.ok("dlq", "show", "1", "--json"))
    assert run.stop() == 0
    for line in run.log_text().strip().split("\n"):
        json.loads(line)


def test_status_and_dlq_beside_a_busy_run(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    for i in range(15):
        notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(%s::int, %s::int) i", (i * 1000 - 3, i * 1000 + 900))
        for args in (("status",), ("status", "--json"), ("dlq", "list"), ("dlq", "list", "--json"), ("migrate",)):
            project.ok(*args)
    wait_mirrored(notes, local, "SELECT * FROM notes WHERE id >= 0", "notes")
    assert run.stop() == 0
    project.ok("status")


def test_rule_05_a_standby_is_promoted(tmp_path, start_postgres, closing):
    """The switch point is at or past the checkpoint: go on there; rows of both sides arrive."""
    server = start_postgres(settings={"hot_standby": "on", "wal_keep_size": "64MB"})
    database = server.create_database()
    database.execute(TABLE)
    local = closing(Local(tmp_path)).start()
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, database, local)
    project.migration("notes", "notes", columns=["id", "body"])
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO notes VALUES (1, 'before')")
    wait_mirrored(database, local, ALL, "notes")
    assert run.stop() == 0
    server.stop()
    standby = Postgres(settings={"hot_standby": "on"})
    closing(standby)
    subprocess.run(["rm", "-rf", str(standby.data)], check=True)
    run_quietly(as_server_user(["/bin/cp", "-a", str(server.data), str(standby.data)]), cwd="/")
    (standby.data / "standby.signal").write_text("")
    server.start()
    standby._write_configuration()
    standby.process = Process(as_server_user([str(standby.bin / "postgres"), "-D", str(standby.data)]), standby.log, cwd="/",
                              death=signal.SIGQUIT)

    def answers():
        try:
            return standby.admin.value("SELECT pg_is_in_recovery()")
        except Exception:
            return False
    wait_until(answers, 30, "the standby answers")
    server.stop()
    standby.admin.value("SELECT pg_promote(true, 30)")
    promoted = Database(standby, database.name)
    project.env["DATABASE_URL"] = promoted.url()
    promoted.execute("INSERT INTO notes VALUES (2, 'after the promotion')")
    run = closing(project.start())
    try:
        run.wait_log("msg=streaming", 15)
        promoted.execute("INSERT INTO notes VALUES (3, 'while streaming')")
        wait_until(lambda: 3 in documents(local, "notes"), 15, "rows of the new timeline")
        assert 2 in documents(local, "notes")
        assert run.stop() == 0
    except RuntimeError:
        assert run.child.returncode == 78 and "--" in run.log_text(), run.log_text()[-1500:]
