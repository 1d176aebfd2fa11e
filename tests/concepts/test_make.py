"""A concept is answered as the references it was made of: by the same bits, or nearly so from a few tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seemkit import Model, replay
from seemkit.concept_file import ConceptFile
from seemkit.concepts.make import make_concept
from seemkit.errors import ConceptError, PromptError
from seemkit.prompting.prompt import Prompt
from seemkit.prompts import Box, Concept, Mask, Point, Reference, Text

Photos = Callable[..., NDArray[np.uint8]]


@pytest.fixture(params=["nano", "seem_v1"])
def model(request: pytest.FixtureRequest, tiny_model: Callable[[str], Model]) -> Model:
    """Tokens of nano know where they lie, those of the published models do not."""
    return tiny_model(request.param)


@pytest.fixture
def references(new_photo: Photos) -> list[Prompt]:
    """Two regions of one photo and one of another, and what it is not like."""
    one, other = new_photo(48, 64, seed=3), new_photo(80, 60, seed=4)
    return [
        Reference(image=one, prompts=[Box(x1=8, y1=6, x2=40, y2=30), Point(x=50, y=40, include=False)]),
        Reference(image=one, prompts=[Point(x=50, y=40)]),
        Reference(image=other, prompts=[Mask(mask=np.tri(80, 60, 8, dtype=bool))]),
        Reference(image=other, prompts=[Point(x=50, y=10)], include=False),
    ]


def logits(model: Model, photo: NDArray[np.uint8], prompts: list[Prompt]) -> NDArray[np.float32]:
    found = model.segment(photo, prompts, select="all").logits
    assert found is not None
    return found


def test_with_all_tokens_it_gives_the_bits_of_its_references(
    model: Model, references: list[Prompt], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    for some in (references[:1], references):
        made = make_concept(model, some, tokens=None)
        expected = logits(model, photo, some)
        assert np.array_equal(logits(model, photo, [Concept(file=made)]), expected)
        path = made.save(tmp_path / "all.concept")
        assert np.array_equal(logits(model, photo, [Concept(file=path)]), expected)


def test_with_few_tokens_it_answers_nearly_so_from_a_small_file(
    model: Model, references: list[Prompt], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    whole = make_concept(model, references, tokens=None).save(tmp_path / "whole.concept").stat().st_size
    expected, far = logits(model, photo, references), []
    for tokens in (1, 12):
        path = make_concept(model, references, tokens=tokens).save(tmp_path / "few.concept")
        assert path.stat().st_size < 10_000
        assert path.stat().st_size < whole / 10
        far.append(np.abs(logits(model, photo, [Concept(file=path)]) - expected).mean() / expected.std())
    assert far[1] < 0.05
    assert far[1] <= far[0]


def test_tokens_stand_for_as_many_points_as_there_were(model: Model, references: list[Prompt]) -> None:
    few, whole = make_concept(model, references, tokens=3), make_concept(model, references, tokens=None)
    points = [region.points for region in whole.regions]
    assert [region.points for region in few.regions] == points
    assert [region.include for region in few.regions] == [region.include for region in whole.regions]
    for region in few.regions:
        assert all(1 <= len(counts) <= 3 for counts in region.counts)
    assert min(points) == 0  # of what it is not there are no tokens, only an anchor
    assert sum(not region.include for region in few.regions) == 1


def test_order_and_duplicates_of_references_do_not_matter(model: Model, references: list[Prompt]) -> None:
    made = make_concept(model, references)
    assert make_concept(model, [*references[::-1], references[0]]).fingerprint == made.fingerprint
    named = [r.model_copy(update={"object": f"{i}"}) for i, r in enumerate(references)]
    assert make_concept(model, named).fingerprint == made.fingerprint
    assert make_concept(model, references[:-1]).fingerprint != made.fingerprint


def test_it_mixes_with_other_prompts(
    model: Model, references: list[Prompt], photo: NDArray[np.uint8]
) -> None:
    made = make_concept(model, references, tokens=None)
    others: list[Prompt] = [Point(x=40, y=30), Text(text="a cat", object="other")]
    expected = logits(model, photo, [*references, *others])
    assert np.array_equal(logits(model, photo, [Concept(file=made), *others]), expected)


def test_excluded_it_pushes_away_what_it_is_like(
    model: Model, references: list[Prompt], photo: NDArray[np.uint8]
) -> None:
    made = make_concept(model, references, tokens=None)
    apart = [r.model_copy(update={"include": False}) for r in references if r.include]
    asked: list[Prompt] = [Point(x=40, y=30)]
    expected = model.segment(photo, [*asked, *apart], select="all").selection
    found = model.segment(photo, [*asked, Concept(file=made, include=False)], select="all").selection
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_other_weights_refuse_it_in_a_sentence(
    new_model: Callable[..., Model], references: list[Prompt], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    made = make_concept(new_model("nano", seed=1), references)
    made.save(tmp_path / "cat.concept")
    other = new_model("nano", seed=2)
    prompt = Concept(file=tmp_path / "cat.concept")
    with pytest.raises(
        PromptError,
        match=r"^prompts\[0\] \(concept of object '1'\): the concept 'cat' was made by other weights of the "
        "assembly 'tiny-nano' than this model's, .*seemkit concept save$",
    ) as caught:
        other.segment(photo, [prompt])
    assert isinstance(caught.value.__cause__, ConceptError)
    same = new_model("nano", seed=1)
    assert len(same.segment(photo, [prompt])) == 1
    with torch.no_grad():
        same.network.prompts.region.sign_embed += 1  # trained on: the tokens mean something else now
    with pytest.raises(PromptError, match="was made by other weights"):
        same.segment(photo, [prompt])


def test_another_text_encoder_or_answer_policy_does_not_matter(
    new_model: Callable[..., Model], references: list[Prompt], photo: NDArray[np.uint8]
) -> None:
    model = new_model("nano", seed=1)
    made = make_concept(model, references)
    with torch.no_grad():
        model.network.text_encoder.logit_scale += 1  # type: ignore[operator]
    assert len(model.segment(photo, [Concept(file=made)])) == 1


def test_a_session_holds_what_the_file_held_and_its_log_replays(
    model: Model, references: list[Prompt], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = make_concept(model, references).save(tmp_path / "cat.concept")
    session = model.session(photo)
    first = session.add(Concept(file=path)).result()
    path.unlink()
    session.add(Point(x=40, y=30))
    result = session.result()
    again = replay(session.log(), photo, model=model, assets=session.assets())
    assert np.array_equal(again.masks, result.masks)
    assert session.undo()
    assert session.result() is first


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "a concept needs a reference that includes, such as Reference"),
        ([Point(x=1, y=2)], r"references\[0\] is a Point, expected a reference"),
        (
            [Reference(image="none.jpg", prompts=[Point(x=1, y=2)])],
            r"references\[0\]: .*none\.jpg.*",
        ),
    ],
)
def test_what_makes_no_concept_is_refused_in_a_sentence(
    tiny_model: Callable[[str], Model], given: list[Prompt], sentence: str
) -> None:
    with pytest.raises(PromptError, match=sentence):
        make_concept(tiny_model("nano"), given)


def test_a_region_outside_the_image_and_only_exclusion_are_refused(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8]
) -> None:
    model = tiny_model("nano")
    inside = Reference(image=model.encode(photo), prompts=[Point(x=40, y=30)])
    assert make_concept(model, inside).regions[0].points == 9  # a click is 3 x 3 pixels of the input
    with pytest.raises(PromptError, match="x=500"):
        make_concept(model, Reference.model_construct(image=photo, prompts=(Point(x=500, y=2),)))
    with pytest.raises(PromptError, match="needs a reference that includes"):
        make_concept(model, Reference(image=photo, prompts=[Point(x=1, y=2)], include=False))
    with pytest.raises(PromptError, match="tokens is 0, expected 1 at least"):
        make_concept(model, inside, tokens=0)


def test_one_made_by_hand_is_taken_by_its_width_and_not_saved(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    example: Any = Concept.example()
    with pytest.raises(PromptError, match="the concept 'example' is 96 wide at 3 levels, expected 32 at 3"):
        tiny_model("nano").segment(photo, [example])
    with pytest.raises(ConceptError, match="made by hand names no weights"):
        example.file.save(tmp_path / "x.concept")
    assert isinstance(example.file, ConceptFile)
