"""The page of a benchmark: a section for each setting, with machine, commit, tables and the command that repeats it."""

from collections.abc import Iterator
from pathlib import Path

from seemkit.benchmark.report import Case, Measured, Ratio, Report
from seemkit.results.atomic import replacing

__all__ = ["heading", "render_section", "write_page"]

INTRO = """# Speed

Measured by `seemkit bench`; each section is a setting.
"""
"""How a page begins that is not there yet; what stands before the first section of one that is there stays."""
TOLD_ELSEWHERE = ("preprocess.short", "preprocess.long", "runtime.threads")
"""Options that a heading tells in its own words."""


def heading(report: Report) -> str:
    """What tells the sections of a page apart."""
    setting, machine = report.setting, report.machine
    height, width = setting.size
    where = machine.accelerator or f"{setting.device}, {machine.threads} thread{'s' * (machine.threads != 1)}"
    options = [f"{k} = {v}" for k, v in setting.overrides.items() if k not in TOLD_ELSEWHERE]
    return f"{setting.assembly} at {width} x {height} on {where}" + "".join(f", {each}" for each in options)


def render_section(report: Report) -> str:
    """The section of a report, in Markdown."""
    lines = [f"## {heading(report)}", "", *_facts(report), "", f"```text\n{report.command}\n```"]
    for group in dict.fromkeys(case.group for case in report.cases):
        for case in (c for c in report.cases if c.group == group):
            lines += ["", f"### {group}: {case.name}", "", *_case(case)]
    return "\n".join(lines) + "\n"


def write_page(path: Path, report: Report) -> None:
    """Write a page, or put this report's section in the place of the one of the same heading; others stay."""
    old = path.read_text(encoding="utf-8") if path.is_file() else INTRO
    start, *sections = old.split("\n## ")
    new = render_section(report).removeprefix("## ").rstrip("\n") + "\n"
    title = heading(report)
    places = [i for i, section in enumerate(sections) if section.splitlines()[0] == title]
    if places:
        sections[places[0]] = new
    else:
        sections.append(new)
    with replacing(path) as out:
        out.write(
            "\n## ".join([start.rstrip("\n") + "\n", *(s.rstrip("\n") + "\n" for s in sections)]).encode()
        )


def _facts(report: Report) -> Iterator[str]:
    machine, setting = report.machine, report.setting
    memory = f", {machine.memory / 2**30:.0f} GiB" if machine.memory else ""
    loads = [case.load for case in report.cases if case.load is not None]
    load = f"{min(loads):.1f} to {max(loads):.1f}" if loads else "unknown"
    commit = machine.commit or f"seemkit {machine.seemkit}, no checkout"
    yield f"| machine | {machine.processor}, {machine.cores} cores{memory} |"
    yield "|---|---|"
    if machine.accelerator:
        yield f"| accelerator | {machine.accelerator} |"
    yield f"| software | torch {machine.torch}, Python {machine.python}, {machine.system} |"
    yield f"| threads | {machine.threads} |"
    yield f"| load average | {load} |"
    yield f"| commit | {commit} |"
    yield f"| date | {machine.date} |"
    options = "".join(f", {name} = {value}" for name, value in setting.overrides.items())
    yield f"| model | {setting.assembly}, {setting.weights} weights in {setting.dtype}{options} |"
    yield f"| repetitions | {setting.repeats} |"


def _case(case: Case) -> Iterator[str]:
    yield case.about
    if case.paths:
        yield ""
        yield from _table(case)
    if case.figures:
        yield ""
        yield "| figure | value |"
        yield "|---|---|"
        for figure in case.figures:
            yield f"| {figure.name} | {format_figure(figure.value, figure.unit)} |"
    if case.ratios:
        yield ""
        for ratio in case.ratios:
            yield f"- {_sentence(ratio)}"
    for note in case.notes:
        yield ""
        yield note


def _table(case: Case) -> Iterator[str]:
    """Paths in rows; a column that no path has is left out."""
    columns = {
        "time": [format_seconds(path.median) for path in case.paths],
        "slowest": [format_seconds(max(path.seconds, default=None)) for path in case.paths],
        "GFLOP": [_gigaflops(path) for path in case.paths],
        "memory": [format_figure(path.bytes, "B") if path.bytes is not None else "" for path in case.paths],
        "what": [path.about for path in case.paths],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    yield "| path | " + " | ".join(kept) + " |"
    yield "|---" * (len(kept) + 1) + "|"
    for i, path in enumerate(case.paths):
        yield f"| {path.name} | " + " | ".join(cells[i] for cells in kept.values()) + " |"


def _sentence(ratio: Ratio) -> str:
    what = {"time": "of the time", "flops": "of the operations", "bytes": "of the memory"}[ratio.what]
    aim = ""
    if ratio.target is not None:
        aim = f"; aimed at: at most {ratio.target:.3g}, {'met' if ratio.met else 'not met'}"
    many = f" ({1 / ratio.value:.1f} times less)" if 0 < ratio.value < 0.95 else ""
    return f"{ratio.of}: {ratio.value:.3f} {what} of {ratio.to}{many}{aim}"


def format_seconds(seconds: float | None) -> str:
    """Three digits in a unit that suits; nothing for None."""
    if seconds is None:
        return ""
    if seconds >= 100:
        return f"{seconds:.0f} s"
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def format_figure(value: float, unit: str) -> str:
    """Bytes in MB, whole numbers as such, others with three digits."""
    if unit == "B":
        return f"{value / 1e6:,.1f} MB"
    shown = f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.3g}"
    return f"{shown} {unit}".rstrip()


def _gigaflops(path: Measured) -> str:
    return "" if path.flops is None else f"{path.flops / 1e9:,.3g}"
