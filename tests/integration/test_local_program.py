"""turbopuffer-local as a program: its command line, its end, what it prints, and how it bears many clients."""
import concurrent.futures
import json
import signal
import subprocess
import urllib.request

import pytest

from harness.local import API_KEY, Local
from harness.paths import program


def run(*args):
    return subprocess.run([program("turbopuffer-local"), *args], timeout=30, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_help_and_version():
    for flag in ("-h", "--help"):
        done = run("--listen", "nonsense", flag)
        assert (done.returncode, done.stderr) == (0, "")
        for option in ("--listen", "--latency-ms", "--limits", "--journal-size", "--limit-request", "--version"):
            assert option in done.stdout
    for flag in ("-V", "--version"):
        assert run(flag).stdout.startswith("turbopuffer-local ")


@pytest.mark.parametrize("args, status, text", [
    (["--lisen", "x"], 64, "did you mean listen"),
    (["--listen"], 64, "--listen needs a value"),
    (["serve"], 64, '"serve" is no option; see --help'),
    (["--latency-ms", "soon"], 64, "latency_ms"),
    (["--latency-ms=-1"], 64, "latency_ms"),
    (["--limits", "tiny"], 64, "small"),
    (["--limit-request", "5 apples"], 64, "limit_request"),
    (["--listen", "8080"], 78, "HOST:PORT"),
    (["--listen", "host.invalid:1"], 78, "host.invalid:1"),
])
def test_a_wrong_command_line_gets_one_clear_message(args, status, text):
    done = run(*args)
    assert (done.returncode, done.stdout) == (status, "")
    assert text in done.stderr and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("turbopuffer-local: ")


def test_a_taken_port_is_named(local):
    done = run("--listen", f"127.0.0.1:{local.port}")
    assert done.returncode == 78
    assert done.stderr == (f"turbopuffer-local: cannot listen on 127.0.0.1:{local.port}: "
                           "Address already in use\n")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_its_port_is_free_at_once(tmp_path, closing, sig):
    local = closing(Local(tmp_path)).start()
    local.request("POST", "/v2/namespaces/a", {"upsert_rows": [{"id": 1}]})
    assert local.process.stop(sig) == 0
    local.start()
    assert local.dump() == {}


def test_a_delayed_request_does_not_hold_the_end(tmp_path, closing):
    local = closing(Local(tmp_path)).start()
    local.faults({"action": "delay", "delay_ms": 600000})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(local.request, "GET", "/v1/namespaces")
        concurrent.futures.wait([waiting], timeout=0.3)
        assert local.stop() == 0
        waiting.exception(timeout=15)  # an answer or a lost connection, but an end


def test_small_limits(tmp_path, closing):
    local = closing(Local(tmp_path, args=["--limits", "small", "--limit-filterable", "8"])).start()
    local.request("POST", "/v2/namespaces/a", {"upsert_rows": [{"id": 1, "s": "x" * 8}]})
    with pytest.raises(RuntimeError, match="400: .*9 bytes, at most 8"):
        local.request("POST", "/v2/namespaces/a", {"upsert_rows": [{"id": 1, "s": "x" * 9}]})
    with pytest.raises(RuntimeError, match="413: the request body is too large"):
        local.request("POST", "/v2/namespaces/a", {"upsert_rows": [{"id": 1, "s": "x" * 70000}]})


def test_the_journal_is_a_ring(tmp_path, closing):
    local = closing(Local(tmp_path, args=["--journal-size", "3"])).start()
    local.request("POST", "/v2/namespaces/a", {"upsert_rows": [{"id": i} for i in range(5)]})
    journal = local.journal()
    assert [entry["id"] for entry in journal["entries"]] == [2, 3, 4]
    assert (journal["last"], journal["dropped"]) == (5, 2)
    assert local.journal(since=4)["entries"][0]["id"] == 4


def test_a_version_that_falls_is_counted(local):
    schema = {"__source_lsn": "uint", "__source_seq": "uint"}
    for lsn in (5, 6, 4):
        local.request("POST", "/v2/namespaces/a", {
            "schema": schema, "upsert_rows": [{"id": 1, "__source_lsn": lsn, "__source_seq": 1}]})
    journal = local.journal()
    assert journal["regressions"] == 1 and journal["first_regression"]["number"] == 3
    assert [entry["regressed"] for entry in journal["entries"]] == [False, False, True]


def test_many_clients_at_once_lose_nothing(local):
    """Eight connections that stay open, faults among the requests; each id ends with its greatest version."""
    condition = ["v", "Lt", {"$ref_new": "v"}]
    local.faults({"action": "status", "status": 503, "every": 7}, {"action": "reset_after", "every": 11},
                 {"action": "reset_before", "every": 13})

    def write(version):
        body = json.dumps({"schema": {"v": "uint"}, "upsert_condition": condition,
                           "upsert_columns": {"id": list(range(50)), "v": [version] * 50}}).encode()
        request = urllib.request.Request(f"{local.url}/v2/namespaces/a", data=body, method="POST",
                                         headers={"Authorization": f"Bearer {API_KEY}"})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)["rows_upserted"]
            except OSError:  # a status, or a connection that is gone
                continue

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(1, 201)))
    assert local.dump() == {"a": [{"id": i, "v": 200} for i in range(50)]}
