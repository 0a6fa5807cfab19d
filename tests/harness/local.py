"""turbopuffer-local, its fault script, journal and dump."""
import json
import urllib.error
import urllib.request

from harness.paths import program
from harness.process import Process

API_KEY = "tpuf_test"


class Local:
    """One server. stop() and start() keep the port but not the documents, which live in its memory."""

    def __init__(self, folder, *, args=(), port=0):
        self.log = folder / "turbopuffer-local.log"
        self.args, self.port = tuple(args), port
        self.process = None

    def start(self, timeout=15.0):
        argv = [program("turbopuffer-local"), "--listen", f"127.0.0.1:{self.port}", *self.args]
        self.process = Process(argv, self.log)
        self.port = int(self.process.wait_log(r"listening on http://127\.0\.0\.1:(\d+)", timeout)[1])
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self, timeout=15.0):
        return self.process.stop(timeout=timeout)

    def kill(self):
        return self.process.kill()

    def close(self):
        if self.process:
            self.process.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- HTTP ----

    def request(self, method, path, body=None, timeout=30.0):
        """The decoded answer; an HTTP error raises with what the server said."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code}: {error.read().decode()}") from None
        return json.loads(text) if text.strip() else None

    # ---- /_local ----

    def faults(self, *rules):
        """Set the fault script; without rules, clear it."""
        if rules:
            return self.request("POST", "/_local/faults", list(rules))
        return self.request("DELETE", "/_local/faults")

    def apply_later_now(self):
        """Apply the writes that "apply_later" kept back."""
        return self.request("POST", "/_local/apply")

    def journal(self, since=0):
        return self.request("GET", f"/_local/journal?since={since}")

    def dump(self, namespace=None):
        return self.request("GET", "/_local/dump" + (f"?namespace={namespace}" if namespace else ""))
