"""A conversation about one image: rounds, memory, undo and redo."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from seemkit import Model, Result, Session
from seemkit.errors import PromptError, VocabularyError
from seemkit.prompts import Box, Memory, Point, Reference, Text


@pytest.fixture
def model(new_model: Callable[..., Model]) -> Model:
    return new_model()


@pytest.fixture
def session(model: Model, photo: NDArray[np.uint8]) -> Session:
    return model.session(photo)


def bits(result: Result) -> bytes:
    parts = (result.masks, result.scores, result.selection, result.logits)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts if part is not None)


def test_the_encoder_runs_once_over_twenty_rounds(model: Model, photo: NDArray[np.uint8]) -> None:
    other = np.ascontiguousarray(photo[::-1])
    session = model.session(photo)
    assert model.encodes == 1
    session.add(Reference(image=other, prompts=[Point(x=20, y=20)], object="like that"))
    for turn in range(20):
        session.add(Point(x=3 * turn + 1, y=2 * turn + 1, include=turn % 3 != 2))
        if turn % 4 == 3:
            session.undo()
        session.result()
    assert model.encodes == 2  # the photo and the image of the reference


def test_unchanged_prompts_return_the_cached_result(session: Session) -> None:
    session.add(Point(x=20, y=20))
    first = session.result()
    assert session.result() is first
    session.add(Point(x=60, y=20))
    assert session.result() is not first
    session.undo()
    assert session.result() is first


def test_the_first_round_has_no_memory_and_every_later_one_has(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    segment = session.model.segment

    def spy(*given: Any, **more: Any) -> Result:
        seen.append(more["memory"])
        return segment(*given, **more)

    monkeypatch.setattr(session.model, "segment", spy)
    session.add(Point(x=20, y=20, object="dog"))
    first = session.result()
    session.add(Point(x=60, y=20, object="cat"))
    second = session.result()
    session.add(Point(x=30, y=30, object="cat", include=False))
    session.result()
    assert seen[0] is None
    assert set(seen[1]) == {"dog"}
    assert torch.equal(seen[1]["dog"], torch.tensor(first.logits[0]))
    assert set(seen[2]) == {"dog", "cat"}
    assert torch.equal(seen[2]["cat"], torch.tensor(second.logits[1]))


def test_memory_goes_into_the_decoder_from_the_second_round_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles: list[list[str]] = []
    forward = session.model.network.decoder.forward

    def spy(prepared: Any, rows: Any, *given: Any, **more: Any) -> Any:
        roles.append([batch.role for batch in rows])
        return forward(prepared, rows, *given, **more)

    monkeypatch.setattr(session.model.network.decoder, "forward", spy)
    for x in (20, 40, 60):
        session.add(Point(x=x, y=20))
        session.result()
    assert roles == [["query", "region"], ["query", "region", "memory"], ["query", "region", "memory"]]


def test_prompts_added_without_looking_are_one_round(session: Session) -> None:
    session.add(Point(x=20, y=20))
    session.add(Point(x=40, y=20))
    at_once = session.model.session(session.scene).add(Point(x=40, y=20), Point(x=20, y=20))
    assert bits(session.result()) == bits(at_once.result())


def test_a_later_round_differs_from_asking_all_at_once(session: Session) -> None:
    session.add(Point(x=20, y=20)).result()
    session.add(Point(x=40, y=20))
    at_once = session.model.session(session.scene).add(Point(x=20, y=20), Point(x=40, y=20))
    assert bits(session.result()) != bits(at_once.result())


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.integers(0, 95), st.integers(0, 71), st.sampled_from("ab"), st.booleans()
        ),
        st.tuples(st.sampled_from(["undo", "redo", "result", "remove"])),
    ),
    min_size=1,
    max_size=14,
)


@given(steps=steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undo_and_redo_to_any_depth_give_the_same_bits(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], steps: list[tuple[Any, ...]]
) -> None:
    model = tiny_model("nano")
    session = model.session(photo).add(Text(text="a", object="a"), Text(text="b", object="b"))
    for name, *values in steps:
        if name == "add":
            x, y, owner, include = values
            session.add(Point(x=x, y=y, object=owner, include=include))
        elif name == "remove":
            if len(session.prompts) > 2:
                session.remove(len(session.prompts) - 1)
        elif name != "undo" or len(session.prompts) > 2:
            getattr(session, name)()
    while session.redo():
        pass
    again = Session.from_log(model, session.log(), session.scene)
    assert bits(again.result()) == bits(session.result())
    there, asked = [], []
    while session.prompts:
        there.append(bits(session.result()))
        asked.append(session.prompts)
        assert session.undo()
    assert not session.undo()
    for before, prompts in zip(reversed(there), reversed(asked), strict=True):
        assert session.redo()
        assert session.prompts == prompts
        assert bits(session.result()) == before
    assert not session.redo()


def test_a_change_after_undo_forgets_what_could_be_redone(session: Session) -> None:
    session.add(Point(x=20, y=20)).add(Point(x=30, y=20))
    assert session.undo()
    session.add(Point(x=40, y=20))
    assert not session.redo()
    assert [p.x for p in session.prompts] == [20, 40]


def test_prompts_are_removed_by_themselves_their_index_or_their_object(session: Session) -> None:
    dog, cat, more = (
        Point(x=20, y=20, object="dog"),
        Box(x1=1, y1=1, x2=9, y2=9, object="cat"),
        Text(text="x"),
    )
    session.add(dog, cat, more)
    assert session.objects == ("dog", "cat", "1")
    assert session.remove(cat).prompts == (dog, more)
    assert session.remove(-1).prompts == (dog,)
    session.undo()
    session.undo()
    assert session.remove("dog").prompts == (cat, more)
    assert session.remove(0).prompts == (more,)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (Point(x=1, y=2), "the point prompt to remove is not in the session"),
        (3, "there is no prompt 3 to remove; there are 1"),
        (-2, "there is no prompt -2 to remove"),
        ("cat", r"there is no object 'cat' to remove; there are \['1'\]"),
    ],
)
def test_what_is_not_there_cannot_be_removed(session: Session, what: Any, sentence: str) -> None:
    session.add(Point(x=20, y=20))
    with pytest.raises(PromptError, match=sentence):
        session.remove(what)
    assert len(session.prompts) == 1


def test_a_wrong_prompt_is_refused_when_it_is_added(session: Session) -> None:
    for wrong, sentence in (
        (Point(x=96, y=0), r"prompts\[1\] of add\(\) \(point of object '1'\): point x=96 lies outside"),
        ("a dog", r"prompts\[1\] of add\(\) is a str, not a prompt"),
    ):
        with pytest.raises(PromptError, match=sentence):
            session.add(Point(x=1, y=1), wrong)  # type: ignore[arg-type]
    with pytest.raises(PromptError, match=r"add\(\) was given no prompt"):
        session.add()
    assert session.prompts == ()
    assert not session.undo()


def test_a_session_without_prompts_has_no_result(session: Session) -> None:
    with pytest.raises(PromptError, match="no prompt was given"):
        session.result()
    session.add(Point(x=1, y=1)).result()
    session.remove(0)
    with pytest.raises(PromptError, match="no prompt was given"):
        session.result()
    session.undo()
    assert len(session.result()) == 1


def test_objects_keep_to_themselves_over_rounds(session: Session) -> None:
    session.add(Point(x=20, y=20, object="a"), Point(x=60, y=50, object="b")).result()
    session.add(Point(x=70, y=55, object="b"))
    both = session.result()
    alone = session.model.session(session.scene)
    alone.add(Point(x=20, y=20, object="a")).result()
    alone.add(Point(x=20, y=20, object="a"), Point(x=21, y=20, object="a"))
    alone.undo()
    alone.add(Text(text="x", object="c")).remove("c")
    again = alone.result()
    assert np.abs(both.logits[0] - again.logits[0]).max() < 5e-3


def test_a_vocabulary_labels_every_round(model: Model, photo: NDArray[np.uint8]) -> None:
    session = model.session(photo, vocabulary=["dog", "cat"])
    assert {name for name, _ in session.add(Point(x=1, y=1)).result().labels[0]} == {"dog", "cat"}
    with pytest.raises(VocabularyError, match="the one text 'dog'"):
        model.session(photo, vocabulary="dog")


def test_a_memory_prompt_takes_the_place_of_the_rounds_memory(session: Session) -> None:
    memory = Memory(mask=np.tri(72, 96, dtype=bool))
    session.add(Point(x=20, y=20)).result()
    later = session.add(memory).result()
    at_once = session.model.session(session.scene).add(Point(x=20, y=20), memory).result()
    assert bits(later) == bits(at_once)


def test_it_says_what_it_is(session: Session) -> None:
    session.add(Point(x=1, y=1), Point(x=2, y=1, object="b"))
    assert repr(session).startswith("Session(Scene(96 x 72 pixels, ")
    assert repr(session).endswith("2 prompts, 2 objects)")


def test_a_reference_by_path_can_be_removed_by_itself(
    session: Session, photo: NDArray[np.uint8], tmp_path: Any
) -> None:
    # its image is read when it is added, so the session holds another value than was given
    path = tmp_path / "other.png"
    Image.fromarray(photo[:, ::-1].copy()).save(path)
    like = Reference(image=str(path), prompts=[Point(x=20, y=15)])
    session.add(Point(x=5, y=5), like)
    assert len(session.remove(like).prompts) == 1
    wrong = Reference(image=str(path), prompts=[Point(x=200, y=15)])
    with pytest.raises(PromptError, match=r"prompts\[0\] of add\(\) .*point x=200 lies outside"):
        session.add(wrong)
