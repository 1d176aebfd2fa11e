"""All checks of the doctor, in the order in which a person would want to know."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seemkit.assembly.load import assembly_names, read_assembly
from seemkit.assembly.published import published_weights
from seemkit.cache import cache_folder
from seemkit.doctor.apart import Outcome, run_apart
from seemkit.doctor.editable import check_editable, check_modules
from seemkit.doctor.finding import Finding
from seemkit.doctor.libraries import LIBRARIES, check_cuda, check_libraries, check_versions, told
from seemkit.doctor.plugins import check_extras, check_names, check_plugins
from seemkit.doctor.stores import cache_folders, check_caches, check_licences
from seemkit.host import registry
from seemkit_registry import RegistryError

__all__ = ["LIMIT", "examine"]

LIMIT = 60.0
"""Seconds that the plugins of a distribution may take to be imported."""
OWN_LIMIT = 300.0
"""Seconds for what belongs to seemkit itself, or to the libraries that it builds on."""


def examine(
    assemblies: Sequence[str] = (), *, limit: float = LIMIT, say: Callable[[str], None] = lambda step: None
) -> list[Finding]:
    """Look at everything; nothing of a plugin is imported here.

    Args:
        assemblies: names or files beside those that are shipped.
        limit: seconds that the plugins of a distribution may take to be imported.
        say: hears what is being looked at.
    """
    found = registry()
    host = found.host
    components = found.components()
    distributions = sorted({c.distribution for c in components if c.provided_by == "entry point"} | {host})
    names = [*assembly_names(), *assemblies]
    folders = [folder for folder in cache_folders().values() if folder.is_dir()]
    say("importing torch, the built-in plugins and the assemblies")
    steps = [
        *(f"library:{name}" for name in LIBRARIES),
        "cuda:",
        f"plugin:{host}",
        *(f"assembly:{name}" for name in names),
        *(f"size:{folder}" for folder in folders),
    ]
    outcomes = {outcome.step: outcome for outcome in run_apart(steps, max(limit, OWN_LIMIT))}
    plugins = [outcomes[f"plugin:{host}"]]
    for distribution in distributions:
        if distribution != host:
            say(f"importing the plugin {distribution}")
            plugins += run_apart([f"plugin:{distribution}"], limit)
    broken = [fault for fault in found.faults() if not fault.kind]
    return [
        *check_versions(),
        *check_libraries(outcomes),
        *check_cuda(outcomes["cuda:"]),
        *check_plugins(plugins, broken),
        *check_names(components, host),
        *check_editable(host),
        *check_modules(components),
        *check_extras(distributions, host),
        *_check_assemblies(names, outcomes),
        *check_caches(outcomes),
        *check_licences(_named_weights(names), [cache_folder()]),
    ]


def _check_assemblies(names: Sequence[str], outcomes: dict[str, Outcome]) -> Iterator[Finding]:
    for name in names:
        outcome = outcomes[f"assembly:{name}"]
        if outcome.state == "done":
            yield Finding("assemblies", name, "fine", "its components are installed and fit each other")
        else:
            said = f"it does not load: {told(outcome)}"
            yield Finding("assemblies", name, "wrong", said, "correct it, or install what it names")
    for path in _named_weights(names, published=False):
        if not path.is_file():
            yield Finding(
                "assemblies",
                str(path),
                "wrong",
                "the weights file that an assembly names is not there",
                "put it there",
            )


def _named_weights(names: Sequence[str], *, published: bool = True) -> dict[Path, str | None]:
    """The weights files that assemblies name, with the licence that they record.

    Args:
        names: of assemblies.
        published: those that are made of a published file too, which need not be there.
    """
    named: dict[Path, str | None] = {}
    for name in names:
        try:
            document = read_assembly(name)
        except RegistryError:
            continue  # a finding of its own
        weights = document.data.get("weights")
        if not isinstance(weights, dict):
            continue
        path = published_weights(document) if published else None
        if isinstance(weights.get("file"), str) and document.weights_folder is not None:
            path = document.weights_folder / str(weights["file"])
        if path is not None:
            license_ = weights.get("license")
            named[path] = license_ if isinstance(license_, str) else None
    return named
