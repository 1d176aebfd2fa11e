"""The command as a process: what it imports, how it is interrupted, and what happens when nobody reads on."""

import os
import signal
import subprocess
import sys
import time

import pytest

ASK = """
import sys
from seemkit.cli.main import cli
try:
    cli.main({args!r}, prog_name="seemkit")
except SystemExit as end:
    print(end.code, sorted({names!r} & set(sys.modules)), file=sys.stderr)
"""


def ask(args: list[str], names: set[str]) -> str:
    code = ASK.format(args=args, names=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "args",
    [
        ["segment", "--help"],
        ["everything", "--help"],
        ["demo", "--help"],
        ["info", "--help"],
        ["plan", "--help"],
        ["doctor", "--help"],
        ["eval", "--help"],
        ["new", "--help"],
        ["schema", "prompts"],
        ["schema", "point"],
        ["plugins"],
        ["plugins", "--json"],
        ["info", "point"],
        ["info", "focal"],
        ["info", "nano"],
    ],
)
def test_help_and_listings_import_no_torch(args):
    assert ask(args, {"torch", "timm", "open_clip", "skimage"}) == "0 []"


@pytest.mark.parametrize("args", [["--help"], ["--version"], []])
def test_the_help_of_all_imports_next_to_nothing(args):
    assert ask(args, {"torch", "numpy", "pydantic", "PIL", "rich", "seemkit.host"}) == "0 []"


def test_a_new_project_is_written_without_torch(tmp_path):
    assert ask(["new", "prompt", "gaze", "--into", str(tmp_path / "gaze")], {"torch", "skimage"}) == "0 []"


def test_bad_prompts_are_refused_before_torch_is_imported(photo):
    last = ask(["segment", str(photo), "--point", "99,4"], {"torch"})
    assert last == "2 []"


@pytest.mark.skipif(os.name == "nt", reason="signals are sent in another way there")
def test_ctrl_c_ends_with_one_line_and_130(tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import sys, time\nsys.stderr.write('ready\\n')\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "seemkit.cli.main", "plugins", "--plugin", str(slow)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell without job control starts its background jobs, and all below them, deaf to it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "seemkit: interrupted"


PRINTS = "from seemkit.cli import main; main.cli.callback = lambda: print('not flushed'); main.main()"


@pytest.mark.skipif(os.name == "nt", reason="pipes close in another way there")
@pytest.mark.parametrize("run", [["-m", "seemkit.cli.main", "plugins", "--json"], ["-c", PRINTS]])
def test_a_reader_who_goes_away_ends_it_quietly(run):
    process = subprocess.Popen(
        [sys.executable, *run],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 1
