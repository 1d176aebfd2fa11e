"""`seemkit train` in Python: a recipe and a folder become weights and an assembly that is loaded with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import torch

from seemkit.assembly import Assembly
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.pipeline.vocabulary import sentences_of
from seemkit.prompting.prompt import Prompt
from seemkit.training.augment import Augment
from seemkit.training.cell import Asker
from seemkit.training.checkpoint import FILE
from seemkit.training.engine import Outcome, Run
from seemkit.training.feed import Feed, SourceFault
from seemkit.training.finish import write_model
from seemkit.training.folder import check_folder
from seemkit.training.measure import still_views
from seemkit.training.mixture import Mixture
from seemkit.training.name_tables import NameTables
from seemkit.training.objective import Objective
from seemkit.training.opinions import Opinions, read_opinions
from seemkit.training.processes import Processes
from seemkit.training.recipe.recipe import Recipe
from seemkit.training.recipe.sections import ObjectiveSection
from seemkit.training.sources import OpenSource, check_texts, count_names, open_sources
from seemkit.training.standardise import standardise
from seemkit.training.start import ADAPT, Start, build_start, rates_of
from seemkit.training.untrained import check_start, left_untrained, started_untrained
from seemkit.training.view import View
from seemkit.vocabulary import SLOT
from seemkit_registry import Registry, nearest

__all__ = ["Checked", "Trained", "check_data", "prompt_weights", "train"]

SHOWN = 6
"""Pictures on a sheet of predictions."""


@dataclass(frozen=True)
class Trained:
    """What a run gave.

    Attributes:
        outcome: how it ended.
        assembly: path of the assembly to load; None in a process that writes nothing.
        trained: how many parameters moved.
        untrained: parts that were trained and had no weights to start from.
        not_taught: parts that were to be trained, of which nothing that was drawn told anything.
    """

    outcome: Outcome
    assembly: Path | None
    trained: int
    untrained: tuple[str, ...]
    not_taught: tuple[str, ...] = ()


def train(
    recipe: Recipe,
    folder: Path,
    *,
    adapt: bool = False,
    restart: bool = False,
    bar: bool = False,
    say: Callable[[str], None] = lambda line: None,
    registry: Registry | None = None,
) -> Trained:
    """Train by a recipe; a folder with a checkpoint of the same recipe is gone on with.

    Args:
        recipe: what is trained, on what and how.
        folder: of checkpoints, logs, pictures, weights and the assembly.
        adapt: move only what brings a swapped backbone's maps to the decoder's width, whatever the recipe's rates say.
        restart: begin anew where the folder has a checkpoint, or a model without one.
        bar: show a bar on standard error.
        say: is told what goes on.
        registry: of components.

    Raises:
        RegistryError: a component or an option is wrong.
        SeemkitError: anything else that cannot be done as asked, in one sentence.
    """
    registry = registry or host_registry()
    if adapt:
        recipe = _adapting(recipe)
    check_folder(folder, recipe, restart=restart)
    processes = Processes(recipe.run)
    if restart and processes.is_first:
        (folder / FILE).unlink(missing_ok=True)
    processes.wait()
    say("opening the data")
    sources = open_sources(recipe)
    say("building the network")
    start = build_start(recipe, registry)
    rates = rates_of(start.network, recipe.optimiser.rates)
    check_start(start, recipe, rates, adapt=adapt)
    start.network.to(processes.device)
    objective = _objective(recipe, start, sources)
    kinds = prompt_weights(recipe.objective, registry, start.assembly)
    feed = make_feed(recipe, sources, kinds, sentences_of(start.network, None), start.network.nearness)
    if standardise(start.network, start.preprocess, feed):
        say("took the statistics of the encoder's channels")
    held = list(still_views(sources, recipe.data.size)) if processes.is_first else []
    shown = _shown(recipe, sources, held) if processes.is_first else []
    faults = [fault for source in sources for fault in _known_faults(source)]
    run = Run(
        recipe, objective, feed, rates, folder, processes, held=held, shown=shown, faults=faults, bar=bar
    )
    say("training")
    outcome = run()
    path, idle = None, run.not_taught()
    if processes.is_first:
        run.average.exchange(start.network)
        left = left_untrained(start, rates, idle)
        path = write_model(folder, start.network, start, recipe, sources, *left)
    processes.wait()
    processes.end()
    moved = sum(
        p.numel() for name, p in start.network.named_parameters() if rates[name] > 0 and name not in idle
    )
    parts = tuple(dict.fromkeys(name.rpartition(".")[0] for name in idle))
    return Trained(outcome, path, moved, started_untrained(start, recipe, rates), parts)


class Checked(NamedTuple):
    """What the data of a recipe are.

    Attributes:
        sources: how many data sets there are.
        pictures: how many they list, what is held out among them.
        usable: those that can be read and show an object to ask for.
        faults: what is wrong with which.
    """

    sources: int
    pictures: int
    usable: int
    faults: tuple[SourceFault, ...]


def check_data(recipe: Recipe) -> Checked:
    """Read every picture of a recipe."""
    sources = open_sources(recipe)
    count, usable, faults = 0, 0, list[SourceFault]()
    for source in sources:
        for part in (source.train, source.held):
            for key in part.keys:
                sample, _ = part.checked(key)
                count += 1
                usable += sample is not None and any(
                    not each.is_crowd and (recipe.data.stuff or each.is_thing) and each.read_mask().any()
                    for each in sample.objects
                )
        faults += _known_faults(source)
    return Checked(len(sources), count, usable, tuple(faults))


def _known_faults(source: OpenSource) -> list[SourceFault]:
    """What was found to be wrong with a source so far: when it was opened, and whenever it was read."""
    found = dict.fromkeys((*source.train.faults, *source.held.faults))
    return [SourceFault(source.name, fault.key, fault.cause) for fault in found]


def make_feed(
    recipe: Recipe,
    sources: list[OpenSource],
    kinds: Mapping[type[Prompt], float],
    templates: Sequence[str] = (SLOT,),
    nearness: int = 0,
) -> Feed:
    """The pictures of a recipe by number.

    Args:
        recipe: the recipe.
        sources: its data.
        kinds: types of prompts that are simulated, and how often each is.
        templates: sentences that names are put into.
        nearness: how many times as large as the canvas a closer look wants pictures; 0 for none.

    Raises:
        SeemkitError: objects without texts are asked for by texts alone, or a source has an unknown type of prompt.
    """
    data, seed, called = recipe.data, recipe.run.seed, _called(recipe)
    if not called:
        check_texts(sources, recipe.objective.shares)
    return Feed(
        sources,
        Mixture([len(s.train) for s in sources], [s.share for s in sources], seed),
        Augment(data.augment, data.size, data.objects, stuff=data.stuff, nearness=nearness),
        Asker(kinds, recipe.objective.shares, templates, called, _factors(sources, kinds)),
        seed,
        strict=data.on_error == "stop",
    )


def _factors(sources: Sequence[OpenSource], kinds: Mapping[type[Prompt], float]) -> list[Mapping[str, float]]:
    """How often prompts are simulated for the objects of each source, times what `kinds` says.

    Raises:
        SeemkitError: a factor is for a type that cannot be simulated.
    """
    names = [kind.type_name() for kind in kinds]
    for place, source in enumerate(sources):
        for name in source.prompts:
            if name not in names:
                _refuse(f"data.sources[{place}].prompts", name, names)
    return [source.prompts for source in sources]


def _refuse(where: str, name: str, names: Sequence[str]) -> NoReturn:
    near = nearest(name, names)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"
    raise SeemkitError(
        f"{where} has {name!r}, which is no type of prompt{hint}",
        path=f"{where}.{name}",
        suggestion=near[0] if near else None,
    )


def _called(recipe: Recipe) -> dict[str, str]:
    """What a classifier calls objects that nobody named, if the recipe says to ask for them so."""
    labels = recipe.objective.labels
    if labels is None or labels.opinions is None or labels.called is None:
        return {}
    return Opinions.load(recipe.beside(labels.opinions)).names(labels.called)


def prompt_weights(
    options: ObjectiveSection, registry: Registry, assembly: Assembly | None = None
) -> dict[type[Prompt], float]:
    """Every type of prompt that can be simulated, and how often it is, relative to the others.

    They are those of the assembly, or all that are installed.

    Raises:
        SeemkitError: a weight is for a type that there is not.
    """
    found: dict[type[Prompt], float] = {}
    names = []
    wanted = None if assembly is None else {c.qualified for c in assembly.prompt_components(registry)}
    for component, kind in registry.load_all("prompts", assembly.prefer if assembly is not None else None):
        if wanted is not None and component.qualified not in wanted:
            continue
        assert isinstance(kind, type), "the host checked that it is a class"
        assert issubclass(kind, Prompt), "the host checked its base"
        names.append(kind.type_name())
        if kind.simulate.__func__ is not Prompt.simulate.__func__:  # type: ignore[attr-defined]
            found[kind] = options.prompts.get(kind.type_name(), 1.0)
    for name in options.prompts:
        if name not in names:
            _refuse("objective.prompts", name, names)
    return found


def _objective(recipe: Recipe, start: Start, sources: Iterable[OpenSource]) -> Objective:
    labels = recipe.objective.labels
    opened = list(sources)
    counts = [count_names(s) for s in opened] if labels is not None and labels.balanced else None
    tables = NameTables(start.network, [s.names for s in opened], counts)
    opinions = None
    if labels is not None and labels.opinions is not None:
        with torch.no_grad():
            opinions = read_opinions(recipe.beside(labels.opinions), start.network.text_encoder)  # type: ignore[arg-type]
    return Objective(
        start.network,
        start.preprocess,
        recipe.objective,
        tables,
        recipe.data.size,
        parts=start.parts,
        opinions=opinions,
    )


def _shown(recipe: Recipe, sources: list[OpenSource], held: list[View]) -> list[View]:
    """The views of the sheets: held-out ones where there are some."""
    if not recipe.run.pictures:
        return []
    if held:
        return held[:: max(len(held) // SHOWN, 1)][:SHOWN]
    each = max(SHOWN // len(sources), 1)
    return list(still_views(sources, recipe.data.size, most=each, held=False))[:SHOWN]


def _adapting(recipe: Recipe) -> Recipe:
    """The recipe with rates that move the bridges of a backbone alone."""
    optimiser = recipe.optimiser.model_copy(update={"rates": dict(ADAPT)})
    changed = recipe.model_copy(update={"optimiser": optimiser})
    changed._sources, changed._folder = recipe._sources, recipe._folder
    return changed
