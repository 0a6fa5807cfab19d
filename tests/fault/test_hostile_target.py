"""A target that answers as no server should: whatever it says, nothing is lost and the process goes on or says why."""
import http.server
import json
import re
import socket
import threading
import time

import pytest

from harness.mirror import documents, wait_mirrored
from harness.postgres import lsn_number
from harness.waiting import wait_until

TABLE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text)"
ALL = "SELECT * FROM notes"
MORE = '[target.schema]\nbody = { type = "string", filterable = false }\n'


class Peer:
    """A TCP server that gives each connection to `serve(connection)` on a thread of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.answer = b""
        self.seen = 0
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while self._request(connection):
                self.seen += 1
                answer = self.answer(connection) if callable(self.answer) else self.answer
                if answer is None:
                    return
                connection.sendall(answer)
                if b"Connection: close" in answer[:2000]:
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def _request(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(65536)
            if not part:
                return False
            head += part
        head, body = head.split(b"\r\n\r\n", 1)
        if b"100-continue" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int((re.search(rb"content-length: (\d+)", head, re.I) or [0, 0])[1])
        while len(body) < length:
            part = connection.recv(65536)
            if not part:
                return False
            body += part
        return True

    def close(self):
        self.listener.close()
        for connection in self.open:
            connection.close()


def http_answer(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def peer(closing):
    return closing(Peer())


@pytest.fixture
def notes(project, database):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"], more=MORE)
    project.ok("migrate")
    return database


def forward(peer, local):
    """From now on the peer is the real thing: hand every byte over."""
    port = int(local.url.rsplit(":", 1)[1])

    def serve(connection):
        with socket.create_connection(("127.0.0.1", port)) as back:
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(65536)
                if not part:
                    return
                head += part
            head, body = head.split(b"\r\n\r\n", 1)
            if b"100-continue" in head.lower():
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                head = re.sub(rb"(?i)expect: 100-continue\r\n", b"", head)
            length = int((re.search(rb"content-length: (\d+)", head, re.I) or [0, 0])[1])
            while len(body) < length:
                body += connection.recv(65536)
            head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
            back.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            while part := back.recv(65536):
                connection.sendall(part)
        connection.close()
    peer._serve = serve
    for connection in peer.open:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


OK = b'{"status":"OK","rows_affected":1}'
PASSING = {
    "500 HTML": http_answer(500, b"<html><h1>oops</h1></html>", "Content-Type: text/html"),
    "502 empty": http_answer(502),
    "503 with a retry-after of a day": http_answer(503, b"later", "Retry-After: 1"),
    "429 with nonsense to wait": http_answer(429, b"{}", "Retry-After: yesterday"),
    "429 with a negative wait": http_answer(429, b"{}", "Retry-After: -5"),
    "408": http_answer(408, b"timeout"),
    "nothing at all": None,
    "truncated body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\":",
    "huge head": b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"y" * 400_000 + b"\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le\r\n\r\nConnection: close",
    "202 without location": http_answer(202, b"{}"),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_for(project, notes, local, run_puffgres, peer, name):
    peer.answer = (lambda connection: PASSING[name])
    if name == "truncated body":
        def once(connection):
            connection.sendall(PASSING[name])
            return None
        peer.answer = once
    run = run_puffgres(env={"TURBOPUFFER_BASE_URL": peer.url})
    run.wait_log("streaming")
    before = lsn_number(notes.server.slot("puffgres")["confirmed_flush_lsn"])
    notes.execute("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    run.wait_log("trying again", 70)
    time.sleep(0.5)
    assert run.alive, run.log_text()[-3000:]
    assert lsn_number(notes.server.slot("puffgres")["confirmed_flush_lsn"]) <= before
    assert not re.search(r"\x00", run.log_text())
    assert "tpuf_test" not in run.log_text()
    forward(peer, local)
    wait_mirrored(notes, local, ALL, "notes", timeout=60)
    assert run.stop() == 0


STOPPING = {
    "401": http_answer(401, b'{"status":"error","error":"bad key"}'),
    "403 HTML": http_answer(403, b"<html>forbidden</html>"),
    "301": http_answer(301, b"", "Location: http://127.0.0.1:1/elsewhere"),
    "307 to a thief": http_answer(307, b"", "Location: http://127.0.0.1:1/elsewhere"),
    "404": http_answer(404, b"no such thing"),
    "402": http_answer(402, b"pay"),
    "not HTTP": b"\x00\xff\xfe not http at all\r\n\r\nConnection: close",
}


@pytest.mark.parametrize("name", STOPPING)
def test_what_somebody_must_mend_stops_and_keeps_no_dead_letters(project, notes, local, run_puffgres, peer, name):
    peer.answer = STOPPING[name]
    run = run_puffgres(env={"TURBOPUFFER_BASE_URL": peer.url})
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    code = run.wait(30)
    assert code == 78, (code, run.log_text()[-2000:])
    assert "tpuf_test" not in run.log_text()
    run = run_puffgres()
    run.wait_log("streaming")
    wait_mirrored(notes, local, ALL, "notes")
    assert run.stop() == 0


ODD = {
    "200 HTML of a captive portal": http_answer(200, b"<html>please log in</html>", "Content-Type: text/html"),
    "200 empty": http_answer(200),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "200 null": http_answer(200, b"null"),
    "200 array": http_answer(200, b"[]"),
    "200 error object": http_answer(200, b'{"status":"error","error":"no"}'),
    "200 deep": http_answer(200, b"[" * 100_000),
    "200 huge": http_answer(200, b'{"status":"OK","x":"' + b"y" * 60_000_000 + b'"}'),
    "418": http_answer(418, b"teapot"),
    "400 plain": http_answer(400, b"bad \xff\xfe\x00 bytes\n\tand \"quotes\""),
    "413": http_answer(413, b"too large"),
    "200 chunked garbage": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n",
    "200 bad gzip": http_answer(200, b"\x1f\x8b\x08garbage", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_are_never_taken_for_success(project, notes, local, run_puffgres, peer, name):
    """What is not plainly a success acknowledges nothing, unless the rows are dead letters."""
    peer.answer = ODD[name]
    run = run_puffgres("--log-format", "json", env={"TURBOPUFFER_BASE_URL": peer.url})
    run.wait_log("streaming")
    before = lsn_number(notes.server.slot("puffgres")["confirmed_flush_lsn"])
    notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 20) i")
    time.sleep(3)
    text = run.log_text()
    for line in text.splitlines():
        json.loads(line)
    told = lsn_number(notes.server.slot("puffgres")["confirmed_flush_lsn"])
    assert told <= before, "acknowledged without writing"
    assert json.loads(project.ok("dlq", "list", "--json"))["total"] == 0
    assert run.alive or run.child.returncode == 78, text[-2000:]
    if run.alive:
        run.stop()


@pytest.mark.matrix
def test_a_server_that_accepts_and_never_answers(project, notes, local, run_puffgres, peer):
    def hang(connection):
        time.sleep(200)
        return None
    peer.answer = hang
    run = run_puffgres(env={"TURBOPUFFER_BASE_URL": peer.url})
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a')")
    wait_until(lambda: peer.seen > 0, 10, "the request is there")
    begin = time.monotonic()
    assert run.stop() == 0
    assert time.monotonic() - begin < 9
    run = run_puffgres(env={"TURBOPUFFER_BASE_URL": peer.url})
    run.wait_log("trying again", 75)
    forward(peer, local)
    wait_mirrored(notes, local, ALL, "notes", timeout=30)
    assert run.stop() == 0


def test_the_namespace_is_deleted_while_running(project, notes, local, run_puffgres):
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes VALUES (1, 'a')")
    wait_mirrored(notes, local, ALL, "notes")
    local.request("DELETE", "/v2/namespaces/notes")
    notes.execute("INSERT INTO notes VALUES (2, 'b'); DELETE FROM notes WHERE id = 1")
    wait_mirrored(notes, local, ALL, "notes")
    local.request("DELETE", "/v2/namespaces/notes")
    notes.execute("DELETE FROM notes WHERE id = 2")
    notes.execute("TRUNCATE notes")
    wait_mirrored(notes, local, ALL, "notes")
    time.sleep(0.5)
    assert run.stop() == 0, run.log_text()[-2000:]


def test_a_schema_conflict_in_the_target_stops(project, notes, local, run_puffgres):
    local.request("POST", "/v2/namespaces/notes", {"upsert_rows": [{"id": 77, "body": 5}]})
    run = run_puffgres()
    run.wait_log("streaming")
    notes.execute("INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 30) i")
    code = run.wait(20)
    assert code == 78, run.log_text()[-2000:]
    assert json.loads(project.ok("dlq", "list", "--json"))["total"] == 0


def test_rule_19_lanes_repeat_their_own_deletes(project, database, local, run_puffgres):
    database.execute(TABLE)
    project.migration("notes", "notes", columns=["id", "body"], more="lanes = 4\n" + MORE)
    project.ok("migrate")
    run = run_puffgres()
    run.wait_log("streaming")
    for i in range(1, 17):
        local.faults({"match": {"op": "write"}, "action": "apply_later", "times": 1})
        database.execute("INSERT INTO notes VALUES (%s, 'zombie')", (i,))
        wait_until(lambda: i in documents(local, "notes"), 10, f"the retry has written {i}")
    local.faults()
    database.execute("DELETE FROM notes")
    wait_until(lambda: documents(local, "notes") == {}, 10, "all rows are deleted")
    local.apply_later_now()
    assert documents(local, "notes"), "the zombies did not arrive: the test shows nothing"
    wait_until(lambda: documents(local, "notes") == {}, 15, "the deletes are repeated")
    assert run.stop() == 0
