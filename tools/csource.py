"""What the checks know about C text: files of the tree, and code split from comments and strings."""
import os
import pathlib
import re
import subprocess

os.chdir(pathlib.Path(__file__).resolve().parents[1])

TOKEN = re.compile(r"""
    (?P<comment> /\*.*?(?:\*/|\Z) | //[^\n]* )
  | (?P<string>  "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
""", re.S | re.X)


def tracked(*patterns):
    """Paths that git knows or would add, as pathlib paths relative to the top."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")
    paths = (pathlib.Path(name.decode()) for name in sorted(set(names)) if name)
    return [path for path in paths if path.is_file()]


def c_files(*folders):
    """The .c, .h, .cc and .cpp files below these folders."""
    return tracked(*(f"{folder}/**.{end}" for folder in folders for end in ("c", "h", "cc", "cpp")))


def blank_out(match):
    """Replace by spaces, line breaks kept, so that line numbers stay true."""
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    return TOKEN.sub(lambda m: blank_out(m) if m["comment"] else m[0], text)


def code_only(text):
    """The text with comments and the insides of strings blanked."""
    return TOKEN.sub(lambda m: blank_out(m) if m["comment"] else
                     m[0][0] + blank_out(m)[1:-1] + m[0][-1], text)


def comment_lines(text):
    """Numbers of the lines that carry any part of a comment."""
    lines = set()
    for match in TOKEN.finditer(text):
        if match["comment"]:
            first = text.count("\n", 0, match.start())
            lines.update(range(first, first + match[0].count("\n") + 1))
    return lines
