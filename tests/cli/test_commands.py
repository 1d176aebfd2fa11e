"""What all commands share: help without a model, exit codes, and a line for whatever goes wrong."""

import click
import pytest

from seemkit import __version__
from seemkit.cli.failure import describe
from seemkit.cli.main import COMMANDS, cli
from seemkit.cli.progress import Progress
from seemkit.errors import SeemkitError


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_begins_with_its_summary(run, command):
    ended = run(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: seemkit {command}")
    assert COMMANDS[command] in " ".join(ended.out.split())
    assert run(command, "-h").out == ended.out


def test_every_command_takes_debug_and_plugins(run):
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        options = {flag for parameter in command.get_params(context) for flag in parameter.opts}
        assert {"--debug", "--plugin"} <= options


def test_without_a_command_the_help_is_shown(run):
    ended = run()
    assert ended.code == 0
    assert all(f"  {command} " in ended.out for command in COMMANDS)
    assert run("--version").out == f"seemkit {__version__}\n"


def test_an_unknown_command_is_answered_with_the_nearest(run):
    ended = run("segmnt")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "seemkit: there is no command 'segmnt'; did you mean 'segment'?\n"
    assert "there are demo, segment" in run("zzzzzzzz").err


def test_an_error_of_ours_is_one_line_and_a_traceback_only_with_debug(run, photo, tiny, gaze):
    gaze.write_text(gaze.read_text().replace("rows, columns = ", "rows, columns = 1 / 0 * "))
    flags = ["segment", photo, "--gaze", "30,20,5", "--plugin", gaze, *tiny]
    ended = run(*flags)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "seemkit: ZeroDivisionError: division by zero (this should not happen: --debug shows where it did)\n"
    )
    ended = run(*flags, "--debug")
    assert ended.code == 1
    assert ended.err.startswith("Traceback")
    assert "gaze.py" in ended.err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (SeemkitError("no"), 2, "no"),
        (click.UsageError("Missing argument 'PHOTO'."), 2, "missing argument 'PHOTO'"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "there is not enough memory"),
        (RuntimeError("one\ntwo"), 1, "RuntimeError: one"),
        (OSError(), 1, "OSError"),
        (OSError(28, "No space left on device", "out.png"), 1, "No space left on device: 'out.png'"),
    ],
)
def test_exit_codes(error, code, says):
    found, sentence = describe(error)
    assert found == code
    assert says in sentence
    assert "\n" not in sentence


class Terminal:
    """A standard error that somebody looks at, or nobody."""

    def __init__(self, looked_at: bool) -> None:
        self.looked_at, self.text, self.encoding = looked_at, "", "utf-8"

    def isatty(self) -> bool:
        return self.looked_at

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def wait_for(terminal: Terminal, text: str, seconds: float) -> None:
    import time

    end = time.monotonic() + seconds
    while text not in terminal.text and time.monotonic() < end:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("looked_at", "patience", "seen"), [(True, 0.01, True), (False, 0.01, False), (True, 60.0, False)]
)
def test_progress_shows_on_a_terminal_if_it_takes_long(monkeypatch, looked_at, patience, seen):
    terminal = Terminal(looked_at)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(patience) as progress:
        progress.say("loading [nano]")
        wait_for(terminal, "loading [nano] ...", 20 if seen else 0.1)
    assert ("loading [nano] ..." in terminal.text) == seen
