"""A plugin that hangs while it is imported is named meanwhile, and Ctrl-C ends it."""

import logging
import os
import signal
import subprocess
import sys
import threading

import pytest

from seemkit_registry import patience as room
from seemkit_registry import registry as engine
from seemkit_registry.patience import patience

WAITS = "import seemkit_registry\nseemkit_registry.go_on.wait(30)\nclass Thing:\n    '''Slow.'''\n"


def test_a_slow_import_is_said_in_one_line_that_names_the_plugin(world, monkeypatch, caplog):
    world.install("slow", {"prompts": {"slow": "slow_plugin:Thing"}}, {"slow_plugin": WAITS})
    said = threading.Event()
    monkeypatch.setattr("seemkit_registry.go_on", said, raising=False)
    monkeypatch.setattr(engine, "patience", lambda component: patience(component, 0.01))
    tell = room._say
    monkeypatch.setattr(room, "_say", lambda *given: (tell(*given), said.set()))
    with caplog.at_level(logging.ERROR, "seemkit"):
        assert world.registry().get("prompts", "slow").__name__ == "Thing"  # it goes on afterwards
    (record,) = caplog.records
    assert record.getMessage() == (
        "the plugin 'slow' (prompts 'slow') is still being imported after 0.01 s: wait, or press Ctrl-C and then "
        "update it (pip install --upgrade slow) or remove it (pip uninstall slow)"
    )


def test_a_quick_import_says_nothing(world, thing, monkeypatch, caplog):
    timers = []
    monkeypatch.setattr(engine, "patience", lambda component: timers.append(component) or patience(component))
    world.install("quick", {"prompts": {"quick": "quick_plugin:Thing"}}, {"quick_plugin": thing})
    world.registry().get("prompts", "quick")
    assert [component.name for component in timers] == ["quick"]
    assert not caplog.records


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_command_that_hangs_in_a_plugin(world):
    """In a process of its own: the line comes first, then the interrupt ends the command with its exit code."""
    hangs = "import time\ntime.sleep(60)\n"
    world.install("hangs", {"prompts": {"hangs": "hangs_plugin:Thing"}}, {"hangs_plugin": hangs})
    code = (
        "import seemkit_registry.patience as p; p.patience.__wrapped__.__defaults__ = (0.2,)\n"
        "from seemkit.cli.main import cli; cli.main(['segment', '--help'])"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(world.folder)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    line = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert line.startswith(
        "seemkit: the plugin 'hangs' (prompts 'hangs') is still being imported after 0.2 s"
    )
    assert running.stderr.read().strip() == "seemkit: interrupted"
    running.stderr.close()
