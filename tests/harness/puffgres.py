"""puffgres as its users run it: a project folder, an environment, a command line."""
import os
import re
import signal
import subprocess

from harness.local import API_KEY
from harness.paths import TOP, program
from harness.process import Process

NOT_INHERITED = ("PUFFGRES_LOG", "PUFFGRES_KILL_AT", "RUST_LOG", "DATABASE_URL", "TURBOPUFFER_API_KEY",
                 "TURBOPUFFER_BASE_URL")

CONFIG = """\
[postgres]
connection_string = "${DATABASE_URL}"

[turbopuffer]
api_key = "${TURBOPUFFER_API_KEY}"
base_url = "${TURBOPUFFER_BASE_URL}"

[state]
backend = "sqlite"

[deletes]
grace = "2s"
"""


class Project:
    """A project folder. Files are written as text, since the text is what is tested."""

    def __init__(self, folder, database, local=None, config=CONFIG):
        self.folder, self.database, self.local = folder, database, local
        self.env = {"DATABASE_URL": database.url(), "TURBOPUFFER_API_KEY": API_KEY}
        if local:
            self.env["TURBOPUFFER_BASE_URL"] = local.url
        self.write("puffgres.toml", config)
        self.runs = 0

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def migration(self, name, table, *, columns, key="id", namespace=None, number=1, schema="public", more=""):
        """One migration in the nested layout; `more` is TOML that is added at its end."""
        words = ", ".join(f'"{column}"' for column in columns)
        return self.write(f"puffgres/migrations/{number:03}_{name}.toml", f"""\
[migration]
name = "{name}"
version = 1

[source]
schema = "{schema}"
table = "{table}"

[mapping]
id = "{key}"
columns = [{words}]

[target]
namespace = "{namespace or name}"
{more}""")

    # ---- commands ----

    def environment(self, env=None):
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        return {**inherited, **self.env, **(env or {})}

    def command(self, *args, env=None, timeout=60.0, cwd=None):
        """Run a command to its end; returncode, stdout and stderr are in what is returned."""
        return subprocess.run([program("puffgres"), *args], cwd=cwd or self.folder, env=self.environment(env),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def ok(self, *args, **options):
        """Run a command that must succeed; its stdout."""
        done = self.command(*args, **options)
        assert done.returncode == 0, f"puffgres {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *args, env=None, kill_at=None):
        """Start `puffgres run`; stop(), kill() and wait_log() are on what is returned.

        kill_at: "name:N", one of fault_points(): the Nth passage of that point ends it with SIGKILL."""
        self.runs += 1
        log = self.folder / f"run-{self.runs}.log"
        env = {**(env or {}), **({"PUFFGRES_KILL_AT": kill_at} if kill_at else {})}
        return Run([program("puffgres"), "run", *args], log, cwd=self.folder, env=self.environment(env))


def fault_points():
    """The names of all points where a test can kill the process, read from the source (base/fault.h)."""
    names = set()
    for path in (TOP / "src").rglob("*.c"):
        names.update(re.findall(r'\bfault_point\("([^"]+)"\)', path.read_text()))
    return sorted(names)


class Run(Process):
    """A running `puffgres run`."""

    def stop(self, sig=signal.SIGTERM, timeout=10.0):
        """The exit status. 10 s: the product promises 8."""
        return super().stop(sig, timeout)
