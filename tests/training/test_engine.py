"""The loop: a run that was interrupted goes on as if it had not been, and what it writes is what it says."""

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seemkit.errors import SeemkitError
from seemkit.host import registry
from seemkit.network.network import Network
from seemkit.training.batch import Batch
from seemkit.training.cell import Asker
from seemkit.training.checkpoint import FILE, FORMAT
from seemkit.training.engine import Numbers, Outcome, Run
from seemkit.training.feed import Feed
from seemkit.training.measure import still_views
from seemkit.training.objective import Objective, Step
from seemkit.training.processes import Processes
from seemkit.training.recipe import Recipe, load_recipe
from seemkit.training.start import rates_of
from seemkit.training.train import make_feed, prompt_weights

New = Callable[..., Any]
SHORT: dict[str, Any] = {
    "data": {"size": 64, "objects": 1},
    "objective": {"points": {"matching": 60, "loss": 40}, "shares": {"prompt": 0.4, "reference": 0.2, "text": 0.4}},
    "optimiser": {"rate": 1e-3, "average": 0.9},
    "run": {
        "steps": 4, "batch": 2, "seed": 3, "minutes": 0, "log": 1, "workers": 0, "pictures": 0, "tensorboard": False,
        "device": "cpu",
    },
}  # fmt: skip


def recipe_with(**run: Any) -> Recipe:
    return load_recipe({**SHORT, "run": {**SHORT["run"], **run}})


@pytest.fixture
def new_run(new_objective: New, new_network: New, new_source: New, tmp_path: Path) -> New:
    """`new_run("folder", steps=2)`: a run of a tiny network in a folder of its own."""

    def build(
        folder: str = "run",
        *,
        network: Network | None = None,
        wrap: Callable[[Objective], Objective] = lambda objective: objective,
        source: Any = None,
        recipe: Recipe | None = None,
        held: bool = False,
        rates: Mapping[str, float] | None = None,
        **run: Any,
    ) -> Run:
        chosen = recipe or recipe_with(**run)
        network = network or new_network("nano")
        options = chosen.objective.model_dump()
        objective = wrap(new_objective(network=network, size=chosen.data.size, **options))
        sources = [source or new_source(6)]
        views = list(still_views(sources, chosen.data.size, most=3, held=False)) if held else []
        feed: Feed = make_feed(chosen, sources, prompt_weights(chosen.objective, registry()))
        found = rates_of(network, chosen.optimiser.rates if rates is None else rates)
        return Run(
            chosen,
            objective,
            feed,
            found,
            tmp_path / folder,
            Processes(chosen.run),
            held=views,
            shown=views[:2],
        )

    return build


def log_of(run: Run, what: str = "loss") -> list[float]:
    lines = map(json.loads, (run.folder / "log.jsonl").read_text().splitlines())
    return [line[what] for line in lines if what in line]


class PluggedOutError(Exception):
    """Pulls the plug."""


def test_a_resumed_run_goes_on_with_the_same_losses_and_ends_with_the_same_bits(
    new_run: New, new_network: New
) -> None:
    whole: Run = new_run("whole")
    whole()
    assert len(log_of(whole)) == 4

    def fail(step: int) -> Callable[[Objective], Objective]:
        def wrap(objective: Objective) -> Objective:
            forward = objective.forward

            def call(batch: Batch, about: Step) -> dict[str, Tensor]:
                if about.number == step:
                    raise PluggedOutError
                return forward(batch, about)

            objective.forward = call  # type: ignore[method-assign]
            return objective

        return wrap

    with pytest.raises(PluggedOutError):
        new_run("parts", wrap=fail(2))()
    other: Run = new_run("parts", network=new_network("nano", seed=5))  # the checkpoint has everything
    other()
    assert log_of(other) == log_of(whole)
    one, two = whole.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert all(torch.equal(whole.average.values[n], other.average.values[n]) for n in whole.average.values)


def test_a_run_that_has_ended_does_nothing_more(new_run: New) -> None:
    new_run(steps=2)()
    again: Outcome = new_run(steps=2)()
    assert math.isnan(again.loss)
    assert len(log_of(new_run(steps=2))) == 2


def test_another_seed_is_another_run(new_run: New) -> None:
    one: Run = new_run("one", steps=1)
    two: Run = new_run("two", steps=1, seed=4)
    one(), two()
    assert log_of(one) != log_of(two)


def test_parts_of_a_step_are_a_step(new_run: New) -> None:
    one: Run = new_run("one", steps=3, batch=4)
    two: Run = new_run("two", steps=3, batch=4, accumulate=2)
    one(), two()
    assert log_of(one) == pytest.approx(log_of(two), rel=1e-4)
    assert log_of(one, "gradient") == pytest.approx(log_of(two, "gradient"), rel=1e-3)


def test_a_batch_that_does_not_split_is_refused(new_run: New) -> None:
    with pytest.raises(
        SeemkitError,
        match=r"run\.batch is 2, which does not split into 1 process times 3 parts; take a multiple of 3",
    ):
        new_run(accumulate=3)


def test_every_picture_is_learned_from_once_in_any_split() -> None:
    def numbers(processes: int, accumulate: int, first: int = 0) -> list[list[int]]:
        """Numbers of each step, over all processes."""
        steps: list[list[int]] = [[] for _ in range(first, 3)]
        for rank in range(processes):
            own = list(Numbers(first, 3, 12, accumulate, processes, rank))
            assert len(own) == len(Numbers(first, 3, 12, accumulate, processes, rank))
            each = len(own) // len(steps)
            for place, step in enumerate(steps):
                step += own[place * each : (place + 1) * each]
        return [sorted(step) for step in steps]

    whole = [list(range(12)), list(range(12, 24)), list(range(24, 36))]
    assert numbers(1, 1) == numbers(2, 1) == numbers(3, 2) == numbers(1, 4) == whole
    assert numbers(2, 3, first=1) == whole[1:]


def test_encoders_stay_frozen_unless_they_have_a_rate_and_batch_statistics_stay(
    new_run: New, new_network: New
) -> None:
    for name, rates in (("frozen", {}), ("moved", {"image_encoder": 0.5})):
        before = new_network("nano").state_dict()
        run: Run = new_run(name, steps=2, rates=rates)
        run()
        after = run.network.state_dict()
        changed = {key for key in before if not torch.equal(before[key], after[key])}
        moved = {key for key in changed if key.startswith("image_encoder.")}
        assert bool(moved) == bool(rates)
        assert not any("running" in key for key in moved)
        assert {key for key in changed if key.startswith("text_encoder.")} <= {"text_encoder.logit_scale"}
        assert any(key.startswith("decoder.") for key in changed)


def test_a_gradient_that_is_not_finite_is_skipped(new_run: New) -> None:
    def poison(objective: Objective) -> Objective:
        forward = objective.forward

        def call(batch: Batch, about: Step) -> dict[str, Tensor]:
            terms = forward(batch, about)
            return {k: v * math.nan for k, v in terms.items()} if about.number == 1 else terms

        objective.forward = call  # type: ignore[method-assign]
        return objective

    run: Run = new_run(steps=3, wrap=poison, minutes=99)
    run()
    assert all(torch.isfinite(x).all() for x in run.network.state_dict().values() if x.is_floating_point())
    assert torch.load(run.folder / FILE, weights_only=True)["step"] == 3


def test_a_checkpoint_of_another_run_is_refused(new_run: New) -> None:
    new_run(steps=2)()
    with pytest.raises(
        SeemkitError, match=r"is of another run: run\.seed differs; give another folder with -o, or --restart"
    ):
        new_run(steps=2, seed=9)()


def test_a_damaged_checkpoint_is_one_sentence_without_what_torch_says_of_it(new_run: New) -> None:
    run: Run = new_run(steps=1)
    run()
    path = run.folder / FILE
    whole = path.read_bytes()
    damaged = [whole[: len(whole) // 2], whole[:20_000], whole[:0], b"not a checkpoint"]
    for state in ({"format": "another"}, {"format": FORMAT, "step": 1}):
        torch.save(state, path)
        damaged.append(path.read_bytes())
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(SeemkitError) as raised:
            run()
        assert str(raised.value) == (
            f"{str(path)!r} is damaged, or no checkpoint of seemkit: it cannot be read; give another folder with -o, "
            "or --restart to begin anew in this one"
        )


def test_a_folder_that_lists_other_pictures_is_refused(new_run: New, new_source: New) -> None:
    new_run(steps=2, source=new_source(6))()
    with pytest.raises(
        SeemkitError,
        match=r"is of another run: the pictures of data\.sources\[0\] are not those .* or give another folder with -o",
    ):
        new_run(steps=2, source=new_source(7))()
    run: Run = new_run(steps=2, source=new_source(6))
    run()
    state = torch.load(run.folder / FILE, weights_only=True)
    del state["listing"]
    torch.save(state, run.folder / FILE)
    new_run(steps=2, source=new_source(7))()  # a checkpoint of before there were listings is trusted


def test_other_types_of_prompts_are_another_run(new_run: New) -> None:
    def run_of(kinds: Mapping[Any, float]) -> Run:
        run: Run = new_run(steps=1)
        run.feed.asker = Asker(kinds, run.recipe.objective.shares)
        return run

    every = prompt_weights(recipe_with().objective, registry())
    box = next(kind for kind in every if kind.type_name() == "box")
    fewer = {kind: weight for kind, weight in every.items() if kind is not box}
    run_of(every)()
    with pytest.raises(
        SeemkitError, match=r"it drew prompts of type 'box', which is not installed .* --restart"
    ):
        run_of(fewer)()
    with pytest.raises(SeemkitError, match="it drew prompts of type 'box'"):
        run_of({**every, box: 0.0})()
    checkpoint = run_of(every).folder / FILE
    checkpoint.unlink()
    run_of({**every, box: 0.0})()
    run_of(fewer)()  # what is never drawn changes nothing
    with pytest.raises(
        SeemkitError, match=r"it did not draw prompts of type 'box', which is installed .* --restart"
    ):
        run_of(every)()
    state = torch.load(checkpoint, weights_only=True)
    del state["prompts"]
    torch.save(state, checkpoint)
    run_of(every)()  # a checkpoint of before they were entered is trusted


def test_a_checkpoint_of_another_network_is_refused(new_run: New, new_network: New) -> None:
    new_run(steps=1)()
    more = new_network("nano")
    more.learned_part = torch.nn.Linear(2, 2)  # as a type of prompts may bring one
    with pytest.raises(
        SeemkitError, match=r"it had no 'learned_part\.weight', which there is now; .* --restart"
    ):
        new_run(steps=1, network=more)()
    run: Run = new_run(steps=1)
    state = torch.load(run.folder / FILE, weights_only=True)
    torch.save({**state, "network": {**state["network"], "gone": torch.zeros(1)}}, run.folder / FILE)
    with pytest.raises(SeemkitError, match="it had 'gone', which there is not now"):
        run()
    name, was = next((name, x) for name, x in state["network"].items() if x.ndim)
    torch.save({**state, "network": {**state["network"], name: torch.zeros(7, 7)}}, run.folder / FILE)
    with pytest.raises(
        SeemkitError, match=rf"its '{re.escape(name)}' was \(7, 7\) and is {re.escape(str(tuple(was.shape)))}"
    ):
        run()


def test_a_run_is_watched_otherwise_when_it_is_gone_on_with(new_run: New) -> None:
    new_run(steps=2)()
    new_run(steps=2, log=7, minutes=3, workers=0)()


def test_what_a_killed_process_left_half_written_is_cleared(new_run: New) -> None:
    run: Run = new_run(steps=2)
    run.folder.mkdir(parents=True)
    (run.folder / ".checkpoint.pt.0011.part").write_bytes(b"half")
    (run.folder / "log.jsonl").write_text('{"step": 7, "loss": 1.0}\n{"step": 8, "lo')
    run()
    assert not list(run.folder.glob(".*.part"))
    assert len(log_of(run)) == 2


def test_faults_are_reported_once_and_training_goes_on(new_run: New, new_source: New) -> None:
    run: Run = new_run(steps=6, source=new_source(4, broken=[2]))
    outcome: Outcome = run()
    assert [(fault.key, fault.cause) for fault in outcome.faults] == [("2.png", "OSError: 2.png is gone")]
    (line,) = (run.folder / "faults.jsonl").read_text().splitlines()
    assert json.loads(line) == {"source": "rectangles", "key": "2.png", "cause": "OSError: 2.png is gone"}


def test_faults_end_the_run_if_the_recipe_says_so(new_run: New, new_source: New) -> None:
    recipe = load_recipe({**SHORT, "data": {**SHORT["data"], "on_error": "stop"}})
    with pytest.raises(
        SeemkitError,
        match=r"rectangles: OSError: [02]\.png is gone \([02]\.png\); with data\.on_error 'report'",
    ):
        new_run(recipe=recipe, source=new_source(4, broken=[0, 2]))()
    with pytest.raises(SeemkitError, match="no picture can be used of many"):
        new_run("other", source=new_source(2, broken=[0, 1]))()


def test_figures_and_pictures_of_what_is_held_out(new_run: New) -> None:
    run: Run = new_run(steps=2, held=True, pictures=1, measure=1, tensorboard=True)
    outcome: Outcome = run()
    assert set(outcome.before) == set(outcome.after) == {"IoU@1", "IoU@2", "IoU@3"}
    assert outcome.before != outcome.after
    logged = log_of(run, "held out IoU@1, RITM clicks on the canvas")
    assert logged == pytest.approx([outcome.before["IoU@1"], logged[1], outcome.after["IoU@1"]], rel=1e-5)
    assert sorted(path.name for path in (run.folder / "pictures").iterdir()) == [
        "step-0000001.jpg",
        "step-0000002.jpg",
    ]
    events = list((run.folder / "tensorboard").glob("events*"))
    assert len(events) == 1
    assert events[0].stat().st_size > 1000


def test_bf16_and_cuda_need_a_gpu() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(SeemkitError, match=r"run\.precision is 'bf16', which needs CUDA"):
        Processes(recipe_with(precision="bf16").run)
    with pytest.raises(SeemkitError, match=r"run\.device is 'cuda', which is not there"):
        Processes(recipe_with(device="cuda").run)


@pytest.mark.gpu
def test_bf16_on_a_gpu(new_run: New) -> None:
    run: Run = new_run(steps=3, device="cuda", precision="bf16")
    outcome: Outcome = run()
    assert math.isfinite(outcome.loss)
    assert {p.dtype for p in run.network.parameters()} == {torch.float32}


def test_what_is_not_installed_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(SeemkitError, match=r"not installed \(accelerate\); pip install 'seemkit\[train\]'"):
        Processes(recipe_with().run)
