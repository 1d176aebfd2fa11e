"""Checks of a prompt that is answered by the bundled model: alone, among others, in any order, of both signs."""

import json

import numpy as np
from numpy.typing import NDArray

from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.testing.bench import make_photo, model_for, objects, scene_for
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import PromptCase, sentence_of
from seemkit.testing.violation import demand

__all__ = ["PromptAnswerChecks"]

TOLERANCE = 5e-3
"""Of logits, relative to their largest: what other objects in the batch may change by rounding."""
MANY = 100


class PromptAnswerChecks(PromptCase):
    """What a prompt does to answers, and what it does not."""

    @check(
        "The example is answered by one mask of the size of the image",
        why="It is what a prompt is for.",
        mend="look at what docs/contracts.md says of region() and encode()",
    )
    def test_the_example_is_answered(self) -> None:
        example = self.example()
        if isinstance(example, SpatialPrompt):
            self.sound()
        result = self.ask([example])
        demand(len(result) == 1, f"was answered by {len(result)} masks")
        assert result.logits is not None
        demand(np.isfinite(result.logits).all(), "gave logits that are not finite")
        demand(np.isfinite(result.scores).all(), "gave a score that is not finite")

    @check(
        "The same request on the same scene gives the same bits",
        why="Logs are replayed, and a result that cannot be repeated cannot be mended.",
        mend="draw no random numbers in region() or encode(), and keep no state between calls",
    )
    def test_the_same_request_gives_the_same_bits(self) -> None:
        example = self.answerable()
        first, again = self.logits([example]), self.logits([example])
        demand(np.array_equal(first, again), "gave other bits the second time")
        copied = self.prompt.model_validate_json(example.model_dump_json()) if _is_plain(example) else example
        demand(np.array_equal(first, self.logits([copied])), "gave other bits for an equal value")

    @check(
        "Order and duplicates of prompts do not change a bit",
        why="A conversation, a form and a command line bring the same prompts in any order.",
        mend="leave content_key() to the base class, which sorts prompts and drops duplicates",
    )
    def test_order_and_duplicates_change_nothing(self) -> None:
        example, partner = self.answerable(), _point()
        others = [v for v in self.values() if v != example][:1]
        expected = self.logits([example, partner, *others])
        again = self.logits([*others, partner, example, partner, example.model_copy()])
        demand(np.array_equal(expected, again), "gave other bits in another order, with duplicates")

    @check(
        "A hundred prompts of one object are answered by one mask",
        why="A long conversation, or a tool that clicks for a user, gives that many.",
        mend="keep what one prompt costs small, and keep nothing from one prompt to the next",
    )
    def test_many_prompts_of_one_object_are_answered(self) -> None:
        example = self.answerable()
        middle = objects()["middle"]
        given = [self.simulate(middle, seed) or example for seed in range(MANY - 1)]
        result = self.ask([example, *given])
        demand(len(result) == 1, f"was answered by {len(result)} masks")
        assert result.logits is not None
        demand(np.isfinite(result.logits).all(), "gave logits that are not finite")

    @check(
        "Other objects beside it leave its answer as it was",
        why="Objects are answered side by side, and rows of one never reach another.",
        mend="keep nothing between calls of region() or encode(): a prompt knows only itself and the context",
    )
    def test_other_objects_do_not_leak_into_its_answer(self) -> None:
        example = self.answerable()
        other = next((v for v in self.values() if v != example), example)
        beside = [other.model_copy(update={"object": "0"})]
        beside += [
            each.model_copy(update={"object": f"0{i}"}) for i, each in enumerate((_point(), _mask(), _text()))
        ]
        alone, both = self.logits([example]), self.logits([example, *beside])  # in the order of the request
        far = _distance(alone[0], both[0])
        demand(far <= TOLERANCE, f"changed its answer by {far:.2g} of the largest logit beside other objects")

    @check(
        "An exclusion, include=False, is kept and changes the answer, or is refused in one sentence",
        why="An exclusion that is ignored answers the opposite of what was asked.",
        mend="give Region or Anchor self.include; where excluding makes no sense, set excludes = False and refuse it",
    )
    def test_excluding_counts(self) -> None:
        example = self.answerable()
        fields = {name: getattr(example, name) for name in type(example).model_fields}
        try:
            without = self.prompt(**{**fields, "include": False})
        except Exception as error:  # of the plugin
            sentence_of(error, "include=False")
            demand(not self.prompt.excludes, "refused include=False though it says excludes = True")
            return
        demand(self.prompt.excludes, "took include=False though it says excludes = False")
        demand(without.include is False, "turned include=False into include=True")
        partner = _mask() if isinstance(example, SpatialPrompt) else _point()
        plain, less = self.ask([partner], "all"), self.ask([partner, without], "all")
        parts = ((plain.logits, less.logits), (plain.selection, less.selection))
        same = all(a is not None and b is not None and np.array_equal(a, b) for a, b in parts)
        demand(not same, "changed nothing when it excluded")

    @check(
        "Asking again encodes no image again",
        why="The encoder is what an image costs; a click has to stay cheap.",
        mend="use context.scene, and context.reference for another image, which is encoded once",
    )
    def test_asking_again_encodes_no_image(self) -> None:
        example, model = self.answerable(), model_for(self.prompt)
        self.ask([example])
        before = model.encodes
        self.ask([example])
        demand(model.encodes == before, f"encoded {model.encodes - before} images when it was asked again")

    @check(
        "A request leaves the scene, the weights and the prompt as they are",
        why="Scenes, models and prompts are shared by threads and by later requests.",
        mend="work on copies: a tensor that was handed over, or a field, is not the plugin's to change",
    )
    def test_a_request_changes_none_of_its_inputs(self) -> None:
        example, model = self.answerable(), model_for(self.prompt)
        scene = model.encode(make_photo())
        state = {**scene.maps, **model.network.state_dict()}
        kept = {name: x.clone() for name, x in state.items()}
        key, text = example.content_key(), example.model_dump_json()
        model.segment(scene, [example])
        changed = [name for name, x in state.items() if not x.equal(kept[name])]
        for name in changed:
            state[name].copy_(kept[name])
        demand(not changed, f"changed {', '.join(changed[:3])}")
        same = example.content_key() == key and example.model_dump_json() == text
        demand(same, "changed its own content when it was asked")

    @check(
        "A session answers it as a single request does, and a second round with its memory too",
        why="Conversations are how most prompts are given.",
        mend="let settled() mean the same as the prompt itself, and keep no state outside of the value",
    )
    def test_a_session_answers_it_in_rounds(self) -> None:
        example = self.answerable()
        session = model_for(self.prompt).session(scene_for(self.prompt))
        first = session.add(example).result()
        assert first.logits is not None
        demand(
            np.array_equal(first.logits, self.logits([example])), "was answered by other bits in a session"
        )
        second = session.add(_point().model_copy(update={"object": example.object})).result()
        demand(len(second) == 1, f"was answered by {len(second)} masks in the second round")
        assert second.logits is not None
        demand(np.isfinite(second.logits).all(), "gave logits that are not finite in the second round")
        json.dumps(session.log())


def _is_plain(prompt: Prompt) -> bool:
    from seemkit.prompting.assets import collect_assets

    return not collect_assets([prompt])


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.abs(a - b).max() / max(float(np.abs(a).max()), 1e-6))


def _point() -> Prompt:
    from seemkit.prompts import Point

    return Point(x=30.5, y=22.5)


def _text() -> Prompt:
    from seemkit.prompts import Text

    return Text(text="a cat")


def _mask() -> Prompt:
    from seemkit.prompts import Mask

    return Mask(mask=objects()["all"])
