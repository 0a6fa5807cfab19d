"""turbopuffer-local against turbopuffer's own npm client, unmodified; the tests are in local_npm_client.cjs."""
import pathlib
import subprocess

from harness.paths import node_command, node_env

SCRIPT = pathlib.Path(__file__).with_name("local_npm_client.cjs")


def test_the_npm_client(local):
    env = {name: value for name, value in node_env().items() if not name.startswith("TURBOPUFFER_")}
    done = subprocess.run([*node_command(SCRIPT), local.url], env=env, timeout=120, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == f"all {done.stdout.count('ok ')} passed", done.stdout
