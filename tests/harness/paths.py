"""Where things are: the tree, the build under test, its programs."""
import os
import pathlib
import shutil

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("WALLABY_BUILD", "build/release")
SANITIZED = BUILD.name in ("asan", "tsan")  # a sanitizer keeps memory of its own: ceilings mean nothing there
NODE = TOP / "build/node"


def program(name):
    """The path of one of our programs in the build under test."""
    path = BUILD / "src/cmd" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: tools/build {BUILD.name}")
    return str(path)


def node_command(script):
    """Run a script against turbopuffer's npm client; Debian's Node 18 gets the one global it lacks."""
    return [shutil.which("node"), "--require", str(TOP / "tests/clients/node18.cjs"), str(script)]


def node_env():
    return {**os.environ, "NODE_PATH": str(NODE / "node_modules")}
