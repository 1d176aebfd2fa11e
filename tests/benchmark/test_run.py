"""The command on a tiny assembly: what it prints and writes, and what it refuses."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from seemkit.benchmark.groups import GROUPS, load_group
from seemkit.benchmark.report import Report
from seemkit.cli.main import cli

TINY = Path(__file__).parents[1] / "cli" / "tiny.yaml"


def run(*words: object) -> tuple[int, str, str]:
    ended = CliRunner().invoke(cli, ["bench", *map(str, words)], prog_name="seemkit")
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_measured_on_a_tiny_assembly(group: str, tmp_path: Path) -> None:
    page, found = tmp_path / "speed.md", tmp_path / "speed.json"
    code, out, err = run(group, "-m", TINY, "--size", 64, "--repeats", 1, "--json", found, "--markdown", page)
    assert (code, err) == (0, "")
    assert out.strip() in page.read_text()
    data = json.loads(found.read_text())
    jsonschema.validate(data, Report.model_json_schema())
    report = Report.model_validate(data)
    assert report.setting.size == (64, 64)
    assert report.setting.weights == "random"
    assert {case.group for case in report.cases} == {group}
    for case in report.cases:
        assert case.paths or case.figures
        assert all(len(path.seconds) == 1 for path in case.paths if path.seconds)


def test_all_is_every_group_and_json_goes_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    monkeypatch.setattr(
        "seemkit.benchmark.run.load_group", lambda name: lambda _: measured.append(name) or ()
    )
    code, out, _ = run("round", "all", "-m", TINY, "--size", 64, "--json", "-")
    assert code == 0
    assert measured == list(GROUPS)
    assert Report.model_validate_json(out).cases == []


def test_every_group_has_its_function_and_is_in_the_help() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in GROUPS:
        assert callable(load_group(name))
        assert f"\n  {name} " in out


def test_wrong_requests_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    for words, said in [
        (["rond"], "there is nothing to measure by the name 'rond'; did you mean 'round'?"),
        (["round", "--json", tmp_path / "no" / "x.json"], "no"),
        (["round", "-m", "nana"], "did you mean 'nano'?"),
        (["--size", "7"], "7 is not in the range"),
    ]:
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
