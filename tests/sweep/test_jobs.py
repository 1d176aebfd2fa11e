"""A job that crashes, hangs or fills the memory ends its process, and the next job runs in a new one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seemkit.sweep.jobs import Limits, Worker, is_out_of_memory

LIMITS = Limits(seconds=5, memory=2**30)


def test_one_process_does_many_jobs_and_the_last_value_counts(jobs: Callable[[str], Any]) -> None:
    with Worker[Any](jobs("job"), LIMITS) as worker:
        first, second = worker.run("a"), worker.run("b")
        assert (first.last, first.end, first.said) == ("a", "done", "")
        assert second.last == "b"
        pid = worker.run("raise").last
        assert worker.run("raise").last == pid != os.getpid()


def test_a_job_that_raises_is_said_on_one_line_and_its_process_goes_on(jobs: Callable[[str], Any]) -> None:
    with Worker[Any](jobs("job"), LIMITS) as worker:
        raised = worker.run("raise")
        assert (raised.end, raised.said) == ("raised", "ValueError: this is not a job")
        assert worker.run("a").end == "done"


@pytest.mark.parametrize(
    ("name", "end", "said"),
    [
        ("exit", "died", "ends its process with exit code 3"),
        ("abort", "died", "ends its process by SIGABRT"),
        ("memory", "memory", "takes more than 1 GiB"),
    ],
)
def test_a_job_that_ends_its_process_keeps_what_it_gave_before(
    name: str, end: str, said: str, jobs: Callable[[str], Any]
) -> None:
    if name == "memory" and not sys.platform.startswith("linux"):
        pytest.skip("the system does not limit what a process allocates")
    with Worker[Any](jobs("job"), LIMITS) as worker:
        outcome = worker.run(name)
        assert (outcome.end, outcome.said) == (end, said)
        assert isinstance(outcome.last, int)
        assert worker.run("a").last == "a"


def test_a_job_that_hangs_is_ended_at_its_limit(jobs: Callable[[str], Any]) -> None:
    with Worker[Any](jobs("job"), Limits(seconds=0.5, memory=None)) as worker:
        start = time.monotonic()
        outcome = worker.run("hang")
        assert (outcome.end, outcome.said) == ("hung", "did not come to an end within 0.5 s")
        assert time.monotonic() - start < 30
        with pytest.raises(ProcessLookupError):
            os.kill(outcome.last, 0)
        assert worker.run("a").end == "done"


def test_a_job_that_says_nothing_has_no_value(jobs: Callable[[str], Any]) -> None:
    with Worker[Any](jobs("silent"), LIMITS) as worker:
        assert (worker.run("nothing").last, worker.run("nothing").end) == (None, "done")
        assert worker.run("die").last is None


def test_a_job_that_dies_of_what_others_left_is_done_again_in_a_new_process(
    jobs: Callable[[str], Any],
) -> None:
    with Worker[Any](jobs("dies_second"), LIMITS) as worker:
        assert [worker.run(name).end for name in "abc"] == ["done", "done", "done"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are not killed by signals here")
def test_the_process_ends_when_the_sweep_is_killed(jobs: Callable[[str], Any], tmp_path: Path) -> None:
    script = (
        "import sys, time; sys.path[:0] = [sys.argv[1]]\n"
        "from seemkit.sweep.jobs import Limits, Worker\n"
        f"from {jobs('job').__module__} import job\n"
        "if __name__ == '__main__':\n"
        "    worker = Worker(job, Limits(memory=None))\n"
        "    print(worker.run('raise').last, flush=True)\n"
        "    time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "jobs")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        if not is_running(pid):
            return
        time.sleep(0.1)
    pytest.fail("the process is still there")


def is_running(pid: int) -> bool:
    """Whether there is a process of this number that has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_out_of_memory_is_told_from_other_errors() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
