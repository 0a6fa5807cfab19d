"""The commands as a user types them: projects, states, destinations, exit codes; what they print and what they refuse."""
import json
import re
import signal
import subprocess
import urllib.request

import pytest

from harness.mirror import documents, wait_mirrored
from harness.paths import program
from harness.puffgres import Project, Run
from harness.waiting import wait_until

TABLE = "CREATE TABLE users (id bigint PRIMARY KEY, name text, score numeric)"
COLUMNS = ["id", "name", "score"]
QUERY = "SELECT * FROM users"


@pytest.fixture
def users(project, database):
    database.execute(TABLE)
    project.migration("users", "users", columns=COLUMNS)
    return database


@pytest.fixture
def streaming(project, users, run_puffgres):
    """A run that streams."""
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    return run


def refused(project, *args, status=78, says=()):
    done = project.command(*args)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    for text in says:
        assert text in said, f"{text!r} is not in\n{said}"
    return said


def status_of(project):
    return json.loads(project.ok("status", "--json"))


# ---- from nothing to the first row ----

def test_init_makes_what_check_accepts(tmp_path, database, local, closing):
    """The example that init prints names a table; with it and the two variables everything is in order."""
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)")
    project = Project(tmp_path, database, local)
    (tmp_path / "puffgres.toml").unlink()
    said = project.ok("init", "my-project")
    project.folder = tmp_path / "my-project"
    assert sorted(path.name for path in project.folder.iterdir()) == ["puffgres", "puffgres.toml"]
    assert {path.name for path in (project.folder / "puffgres").iterdir()} >= {"migrations", "transforms"}
    example = said.split("such as:\n\n")[1].split("\n\n  3.")[0]
    project.write("puffgres/migrations/0001_users.toml", "\n".join(line[9:] for line in example.splitlines()))
    config = (project.folder / "puffgres.toml").read_text()
    project.write("puffgres.toml", re.sub(r'# base_url = "[^"]*"', f'base_url = "{local.url}"', config))
    assert "everything is in order: 1 mapping" in project.ok("check")
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO users VALUES (1, 'Ada', 'ada@example.com')")
    wait_mirrored(database, local, QUERY, "users")
    assert run.stop() == 0


def test_init_leaves_a_project_alone(project):
    before = (project.folder / "puffgres.toml").read_text()
    refused(project, "init", says=["exists already and is left alone"])
    assert (project.folder / "puffgres.toml").read_text() == before


@pytest.mark.parametrize("where, args", [(".", []), ("puffgres", []), ("/", ["-c", "{project}/puffgres.toml"]),
                                         ("/", ["-c", "{project}"])])
def test_the_project_is_found(project, users, where, args):
    args = [arg.format(project=project.folder) for arg in args]
    project.ok("check", *args, cwd=project.folder / where)


def test_it_works_by_any_name(project, tmp_path):
    link = tmp_path / "puffgres-cli"
    link.symlink_to(program("puffgres"))
    done = subprocess.run([str(link), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("puffgres ")


# ---- migrations ----

def test_dry_run_records_nothing(project, users):
    assert "would apply users version 1" in project.ok("migrate", "--dry-run")
    assert not list((project.folder / "puffgres").glob("state/*"))
    assert "applied users version 1" in project.ok("apply")
    assert "nothing to apply" in project.ok("migrate")


def test_an_applied_migration_never_changes(project, users):
    project.ok("migrate")
    path = next((project.folder / "puffgres/migrations").iterdir())
    text = path.read_text()
    path.write_text(text + "\n# a remark is no change\n")
    assert "nothing to apply" in project.ok("migrate")
    path.write_text(text.replace('"score"', '"id"').replace('columns = ["id", "name", "id"]', 'columns = ["id", "name"]'))
    for command in ("migrate", "check", "run"):
        refused(project, command, says=["was changed after it was applied", "version = 2"])


def test_a_new_version_takes_over_where_the_old_one_was(project, users, local, run_puffgres, streaming):
    users.execute("INSERT INTO users VALUES (1, 'a', 1)")
    wait_mirrored(users, local, QUERY, "users")
    path = next((project.folder / "puffgres/migrations").iterdir())
    project.write("puffgres/migrations/002_users.toml",
                  path.read_text().replace("version = 1", "version = 2").replace(', "score"', ""))
    assert streaming.stop() == 0
    users.execute("INSERT INTO users VALUES (2, 'b', 2)")
    run = run_puffgres()
    run.wait_log("not applied: run puffgres migrate")
    run.wait_log("streaming")
    wait_mirrored(users, local, QUERY, "users")
    assert run.stop() == 0
    project.ok("migrate")
    users.execute("INSERT INTO users VALUES (3, 'c', 3)")
    run = run_puffgres()
    run.wait_log("re-read needed.*rows that version 1 wrote")
    wait_until(lambda: documents(local, "users").get(3) == {"name": "c"}, 15, "version 2 writes no score")
    assert run.stop() == 0


def test_an_applied_file_that_is_gone_is_not_stopped_silently(project, users, run_puffgres):
    project.ok("migrate")
    path = next((project.folder / "puffgres/migrations").iterdir())
    text = path.read_text().replace("version = 1", "version = 2")
    path.unlink()
    project.write("puffgres/migrations/002_users.toml", text)
    refused(project, "run", says=["version 1 of mapping users is applied", "is gone", "puffgres migrate"])
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    assert run.stop() == 0


def test_c12_an_attribute_keeps_its_type(project, users):
    """score is a numeric, so a string; a second version would make it a float in the same namespace."""
    project.ok("migrate")
    path = next((project.folder / "puffgres/migrations").iterdir())
    second = path.read_text().replace("version = 1", "version = 2") + '[target.schema]\nscore = "float"\n'
    project.write("puffgres/migrations/002_users.toml", second)
    refused(project, "migrate", says=["attribute score of users is string and would become float", "users_v2"])
    assert "nothing was applied" in refused(project, "migrate", "--dry-run")
    refused(project, "check", says=["attribute score of users is string and would become float"])
    project.write("puffgres/migrations/002_users.toml", second.replace('namespace = "users"', 'namespace = "users_v2"'))
    assert "applied users version 2" in project.ok("migrate")


def test_c12_a_column_that_changed_its_type_is_refused_at_the_start(project, users):
    """As a dead letter per row it would be found days later; what stopped a run says only that, without notes."""
    project.ok("migrate")
    users.execute("ALTER TABLE users ALTER COLUMN score TYPE float8")
    for command in ("check", "run"):
        said = refused(project, command, says=["attribute score of users is string and would become float", "users_v2"])
        assert ("note: " in said) == (command == "check"), said


def test_a_fault_in_a_file_is_no_mapping_without_a_file(project, users):
    project.ok("migrate")
    path = next((project.folder / "puffgres/migrations").iterdir())
    path.write_text(path.read_text().replace("[source]", "[sorce]"))
    assert "has no file any more" not in refused(project, "check", says=['did you mean "source"?'])


def test_a_mapping_without_a_file_stops_and_is_marked_when_it_comes_back(project, users, local, run_puffgres):
    users.execute("CREATE TABLE other (id bigint PRIMARY KEY, name text)")
    path = project.migration("other", "other", columns=["id", "name"], number=2)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    assert run.stop() == 0
    text = path.read_text()
    path.unlink()
    run = run_puffgres()
    run.wait_log("streaming")
    users.execute("INSERT INTO other VALUES (1, 'missed'); INSERT INTO users VALUES (1, 'a', 1)")
    wait_mirrored(users, local, QUERY, "users")
    wait_until(lambda: status_of(project)["dead_letters"] == 0 and run.alive, 5, "status answers")
    assert run.stop() == 0
    path.write_text(text)
    run = run_puffgres()
    run.wait_log('"re-read needed" mapping=other why="changes between')
    assert run.stop() == 0


def test_all_faults_of_all_files_with_their_places(project, users):
    project.write("puffgres/migrations/002_odd.toml", """\
[migration]
name = "odd"
version = "1"
[source]
table = "odd"
[mapping]
id = "id"
columns = ["id", "id"]
membership = "a = "
[target]
namespce = "odd"
""")
    said = refused(project, "check", says=["puffgres/migrations/002_odd.toml:3:11: ", "002_odd.toml:8:18: ",
                                           "002_odd.toml:9:", 'did you mean "namespace"?'])
    assert said.count("002_odd.toml") >= 5


# ---- other destinations, other states ----

def test_stdout_is_one_line_per_row_and_needs_no_key(tmp_path, database, closing):
    database.execute(TABLE)
    folder = tmp_path / "p"
    folder.mkdir()
    project = Project(folder, database, config='[postgres]\nconnection_string = "${DATABASE_URL}"\n')
    del project.env["TURBOPUFFER_API_KEY"]
    project.migration("users", "users", columns=COLUMNS, more='destination = "stdout"\n')
    project.ok("check")
    project.ok("migrate")
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO users VALUES (1, 'a', 1.50); DELETE FROM users")
    run.wait_log(r'^\{.*"delete"')
    assert run.stop() == 0
    lines = [json.loads(line) for line in run.log_text().splitlines() if line.startswith("{")]
    assert [line["op"] for line in lines] == ["upsert", "delete"]
    assert lines[0]["attributes"]["name"] == "a"


def test_memory_runs_on_a_temporary_slot(tmp_path, database, local, closing):
    database.execute(TABLE)
    folder = tmp_path / "p"
    folder.mkdir()
    project = Project(folder, database, local)
    config = (project.folder / "puffgres.toml").read_text()
    project.write("puffgres.toml", config.replace('backend = "sqlite"', 'backend = "memory"'))
    project.migration("users", "users", columns=COLUMNS)
    refused(project, "migrate", says=["in memory"])
    run = closing(project.start())
    run.wait_log("streaming")
    database.execute("INSERT INTO users VALUES (1, 'a', 1)")
    wait_mirrored(database, local, QUERY, "users")
    assert "memory" in project.ok("status")
    refused(project, "dlq", "list", says=["memory"])
    assert run.stop() == 0
    assert not list((project.folder / "puffgres").glob("state/*"))
    wait_until(lambda: database.value("SELECT count(*) FROM pg_replication_slots "
                                      "WHERE database = current_database()") == 0, 10, "the slot goes with its run")


def test_null_counts(project, users, run_puffgres):
    project.migration("users", "users", columns=COLUMNS, more='destination = "null"\n')
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    users.execute("INSERT INTO users SELECT i, 'x', i FROM generate_series(1, 500) i")
    wait_until(lambda: "500 upserts" in project.ok("status"), 15, "500 rows are counted")
    assert run.stop() == 0


# ---- what goes wrong with rows ----

def test_a_row_that_cannot_be_delivered_becomes_a_dead_letter(project, users, local, streaming):
    users.execute("INSERT INTO users VALUES (-1, 'negative', 1), (1, 'good', 2)")
    wait_until(lambda: 1 in documents(local, "users"), 15, "the good row comes over")
    listed = wait_until(lambda: json.loads(project.ok("dlq", "list", "--json")), 10, "a dead letter")
    letters = listed["dead_letters"] if isinstance(listed, dict) else listed
    assert len(letters) == 1
    shown = project.ok("dlq", "show", str(letters[0]["id"]))
    assert "negative" in shown and 'encode = "string"' in shown
    assert "users" in project.ok("dlq", "list", "--mapping", "users", "--limit", "1")
    refused(project, "dlq", "list", "--mapping", "nobody", says=["there is no mapping nobody"])
    refused(project, "dlq", "show", "99", says=["there is no dead letter 99"])
    refused(project, "dlq", "show", "abc", status=64, says=["no id of a dead letter"])
    assert streaming.stop() == 0


def test_strict_stops_at_the_first(project, users, run_puffgres, local):
    project.ok("migrate")
    run = run_puffgres("--strict")
    run.wait_log("streaming")
    users.execute("INSERT INTO users VALUES (1, 'good', 2)")
    wait_mirrored(users, local, QUERY, "users")
    users.execute("INSERT INTO users VALUES (-1, 'negative', 1)")
    assert run.wait(20) == 65
    assert "negative" in run.log_text() or "-1" in run.log_text()
    users.execute("DELETE FROM users WHERE id = -1")
    run = run_puffgres("--strict")
    assert run.wait(20) == 65  # the slot has not moved: the row comes again


# ---- stopping ----

def test_a_second_signal_leaves_at_once(project, users, run_puffgres, local):
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 20000, "times": 100})
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    users.execute("INSERT INTO users VALUES (1, 'slow', 1)")
    wait_until(lambda: local.journal() is not None, 5, "the target answers")
    run.send(signal.SIGTERM)
    run.send(signal.SIGINT)
    assert run.wait(3) in (130, 143)  # whichever the kernel delivers last


def test_a_slow_target_does_not_hold_the_stop(project, users, run_puffgres, local):
    local.faults({"match": {"op": "write"}, "action": "delay", "delay_ms": 30000, "times": 100})
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    users.execute("INSERT INTO users VALUES (1, 'slow', 1)")
    assert run.stop(timeout=10) == 0
    local.faults()
    run = run_puffgres()
    wait_mirrored(users, local, QUERY, "users")
    assert run.stop() == 0


# ---- what it says ----

def test_status_names_everything(project, users, local, streaming):
    users.execute("INSERT INTO users SELECT i, 'x', i FROM generate_series(1, 100) i")
    wait_mirrored(users, local, QUERY, "users")
    said = wait_until(lambda: "100 upserts" in project.ok("status") and project.ok("status"), 10, "the heartbeat")
    for word in ("running", "checkpoint", "lag", "slot", "rates", "last flush", "retries", "dead letters", "users"):
        assert word in said, f"{word} is not in\n{said}"
    json.loads(project.ok("status", "--json"))
    assert streaming.stop() == 0
    assert "not running" in project.ok("status")


def test_metrics_are_served(project, users, local, run_puffgres):
    project.ok("migrate")
    run = run_puffgres("--metrics-listen", "127.0.0.1:0")
    url = run.wait_log(r"url=(http://127\.0\.0\.1:\d+)")[1]
    run.wait_log("streaming")
    users.execute("INSERT INTO users SELECT i, 'x', i FROM generate_series(1, 100) i")
    wait_mirrored(users, local, QUERY, "users")

    def scrape():
        with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:
            return answer.read().decode()
    wait_until(lambda: "puffgres_upserts_total 100\n" in scrape(), 10, "100 upserts are counted")
    assert 'puffgres_mapping_stopped{mapping="users"} 0' in scrape()
    with urllib.request.urlopen(url + "/healthz", timeout=5) as answer:
        assert answer.status == 200
    assert run.stop() == 0


def test_json_logs_are_json(project, users, run_puffgres):
    project.ok("migrate")
    run = run_puffgres("--log-format", "json")
    run.wait_log("streaming")
    assert run.stop() == 0
    for line in run.log_text().splitlines():
        assert {"ts", "level", "msg"} <= json.loads(line).keys()
    project.migration("users", "nowhere", columns=COLUMNS)
    done = project.command("run", "--log-format", "json")
    assert done.returncode == 78
    assert [json.loads(line)["level"] for line in done.stderr.splitlines()][-1] == "error"


@pytest.mark.parametrize("name, text, said", [
    ("RUST_LOG", "error", False), ("PUFFGRES_LOG", "puffgres=error", False), ("RUST_LOG", "puffgres=info", True)])
def test_log_levels(project, users, closing, name, text, said):
    project.ok("migrate")
    run = closing(project.start(env={name: text}))
    wait_until(lambda: users.value("SELECT active FROM pg_replication_slots WHERE database = current_database()"), 10,
               "it streams")
    if said:
        run.wait_log("streaming")
    assert run.stop() == 0
    assert ("streaming" in run.log_text()) == said


def test_secrets_are_never_printed(project, users, run_puffgres):
    project.env["TURBOPUFFER_API_KEY"] = "tpuf_very_secret_key"
    password = project.env["DATABASE_URL"].split(":")[2].split("@")[0]
    project.ok("migrate")
    run = run_puffgres("--log-format", "json")
    run.wait_log("streaming")
    said = run.log_text() + project.ok("status") + project.ok("check")
    assert run.stop() == 0
    for secret in ("tpuf_very_secret_key", password, "correct horse"):
        assert secret not in said


LATER = [(["backfill", "users"], "backfill"), (["run", "--poll"], "wal2json"),
         (["run", "--poll-interval-ms", "500"], "wal2json"), (["generate"], "wizard"),
         (["dlq", "retry", "--id", "1"], "dead letters"), (["dlq", "clear", "--all"], "dead letters"),
         (["migrate", "--schema"], "schema-only")]


@pytest.mark.parametrize("args, feature", LATER, ids=[" ".join(args) for args, _ in LATER])
def test_later_features_are_refused_by_name(project, args, feature):
    refused(project, *args, status=64, says=[feature])


# ---- partitions (SEMANTICS 27) ----

def partitioned(project, database):
    database.execute("""
        CREATE TABLE events (id bigint PRIMARY KEY, t text) PARTITION BY RANGE (id);
        CREATE TABLE events_0 PARTITION OF events FOR VALUES FROM (0) TO (100);
        CREATE TABLE filled (id bigint PRIMARY KEY, t text); INSERT INTO filled VALUES (200, 'before')""")
    project.migration("events", "events", columns=["id", "t"])
    project.ok("migrate")


def test_rule_27_a_partition_made_in_place_is_no_difference_an_attached_one_stops(project, database, local, run_puffgres):
    partitioned(project, database)
    run = run_puffgres()
    run.wait_log("streaming")
    database.execute("CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (100) TO (200); "
                     "INSERT INTO events VALUES (1, 'a'), (101, 'b')")
    wait_mirrored(database, local, "SELECT * FROM events", "events")
    database.execute("ALTER TABLE events ATTACH PARTITION filled FOR VALUES FROM (200) TO (300)")
    run.wait_log("mapping stopped", timeout=20)
    assert "events_1" not in run.log_text()
    wait_until(lambda: "filled of public.events was attached" in project.ok("status"), 10, "status says why")
    assert run.stop() == 0
    run = run_puffgres()
    run.wait_log("streaming")
    database.execute("INSERT INTO events VALUES (2, 'after')")
    wait_mirrored(database, local, "SELECT * FROM events WHERE id <> 200", "events")
    assert "re-read needed" in project.ok("status")
    assert run.stop() == 0


def test_rule_27_a_difference_while_nobody_ran_is_marked(project, database, local, run_puffgres):
    partitioned(project, database)
    config = (project.folder / "puffgres.toml").read_text()
    project.write("puffgres.toml", config.replace("[turbopuffer]", 'on_partition_change = "report"\n[turbopuffer]'))
    run = run_puffgres()
    run.wait_log("streaming")
    assert run.stop() == 0
    database.execute("TRUNCATE events_0")
    run = run_puffgres()
    run.wait_log("re-read needed")
    run.wait_log("streaming")
    database.execute("ALTER TABLE events DETACH PARTITION events_0")
    run.wait_log("detached", timeout=20)
    assert "mapping stopped" not in run.log_text()
    assert run.stop() == 0


def test_a_table_made_anew_is_marked(project, users, run_puffgres):
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    assert run.stop() == 0
    users.execute(f"DROP TABLE users; {TABLE}")
    run = run_puffgres()
    run.wait_log("re-read needed")
    run.wait_log("streaming")
    assert run.stop() == 0


def test_the_example_unit_of_the_readme_starts_it(project, users, tmp_path):
    """Type=simple and Environment=: nothing but the working folder and two variables is needed."""
    project.ok("migrate")
    env = {"DATABASE_URL": project.env["DATABASE_URL"], "TURBOPUFFER_API_KEY": "k",
           "TURBOPUFFER_BASE_URL": project.env["TURBOPUFFER_BASE_URL"]}
    run = Run([program("puffgres"), "run"], tmp_path / "unit.log", cwd=project.folder, env=env)
    try:
        run.wait_log("streaming")
        assert run.stop() == 0
    finally:
        run.close()
