"""The log of a session: JSON without pixels that replays to the same bits, on the image and weights it was made on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import seemkit
from seemkit import Model, Result, Scene, Session, replay
from seemkit.api import Prompt
from seemkit.errors import PromptError, SeemkitError
from seemkit.prompts import Box, Mask, Memory, Point, Polygon, Reference, Scribble, Text


@pytest.fixture
def model(tiny_model: Callable[[str], Model]) -> Model:
    return tiny_model("nano")


def bits(result: Result) -> bytes:
    parts = (result.masks, result.scores, result.selection, result.logits)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts if part is not None)


EVERY: list[Prompt] = [
    Point(x=20.25, y=1 / 3),
    Box(x1=0.1, y1=5, x2=60, y2=70.7, object="b"),
    Scribble(points=[(3, 4), (50.5, 60.125)], width=3.7),
    Polygon(points=[(10, 10), (40.3, 12), (25, 50)], object="b"),
    Mask(mask=np.tri(72, 96, dtype=bool), include=False, object="b"),
    Text(text="a dog", object="b"),
    Text(text="naïve 猫", include=False),
]


def through_json(log: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(log))
    return read


@pytest.fixture
def session(model: Model, photo: NDArray[np.uint8]) -> Session:
    """Rounds of every kind of prompt, with one taken back."""
    session = model.session(photo, vocabulary=["dog", "cat"])
    for prompt in EVERY:
        session.add(prompt)
        session.result()
    session.undo()
    session.result()
    return session


def test_it_replays_to_the_same_bits(session: Session, model: Model, photo: NDArray[np.uint8]) -> None:
    again = replay(through_json(session.log()), photo, model=model)
    assert bits(again) == bits(session.result())
    assert again.labels == session.result().labels
    assert again.shares == session.result().shares


def test_a_replayed_session_goes_on_where_it_was(
    session: Session, model: Model, photo: NDArray[np.uint8]
) -> None:
    again = Session.from_log(model, through_json(session.log()), photo)
    assert again.prompts == session.prompts
    assert again.log()["nodes"][-1]["prompts"] == session.log()["nodes"][-1]["prompts"]
    for step in ("undo", "undo", "redo"):
        moved = [getattr(s, step)() for s in (session, again)]
        if step == "undo":
            assert moved == [True, True]
            assert bits(session.result()) == bits(again.result())
    click = Point(x=70, y=60)
    assert again.redo() in (True, False)
    assert bits(session.add(click).result()) == bits(
        Session.from_log(model, through_json(session.log()), photo).result()
    )


def test_it_is_versioned_json_without_pixels(session: Session, model: Model) -> None:
    log = session.log()
    text = json.dumps(log)
    assert log["version"] == 1
    assert log["scene"] == session.scene.fingerprint
    assert log["model"] == model.fingerprint
    assert log["size"] == [72, 96]
    assert len(text) < 20_000
    assert [entry["answered"] for entry in log["nodes"]] == [False] + [True] * len(EVERY)


def test_rounds_that_were_never_asked_for_are_no_memory(model: Model, photo: NDArray[np.uint8]) -> None:
    session = model.session(photo).add(Point(x=5, y=5)).add(Point(x=9, y=9))
    session.result()
    session.add(Point(x=20, y=9))
    assert [entry["memory"] for entry in session.log()["nodes"]] == [None, None, None, 2]


def test_arrays_travel_by_hash_and_are_handed_over(model: Model, photo: NDArray[np.uint8]) -> None:
    other = np.ascontiguousarray(photo[::-1, ::-1])
    scene = model.encode(other)
    session = model.session(photo)
    session.add(Reference(image=other, prompts=[Point(x=20, y=20)]))
    session.add(Reference(image=scene, prompts=[Box(x1=1, y1=1, x2=30, y2=30)], object="b")).result()
    logits = session.result().logits
    assert logits is not None
    session.add(Memory(mask=logits[0], object="c"), Point(x=50, y=20, object="c"))
    log, assets = through_json(session.log()), session.assets()
    assert len(assets) == 3
    assert {type(x) for x in assets.values()} == {np.ndarray, Scene}
    assert bits(replay(log, photo, model=model, assets=assets)) == bits(session.result())
    with pytest.raises(
        PromptError, match=r"nodes\[1\]\.prompts\[0\].* travels by hash: hand it over in assets"
    ):
        replay(log, photo, model=model)
    wrong = {name: (photo if isinstance(x, np.ndarray) else x) for name, x in assets.items()}
    with pytest.raises(PromptError, match="has other content"):
        replay(log, photo, model=model, assets=wrong)


def test_another_image_is_refused(session: Session, model: Model, photo: NDArray[np.uint8]) -> None:
    other = photo.copy()
    other[0, 0, 0] ^= 1
    with pytest.raises(SeemkitError, match="the log was written for another image"):
        replay(session.log(), other, model=model)


def test_another_encoder_is_refused(
    session: Session, new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    with pytest.raises(SeemkitError, match="or with other encoder weights"):
        replay(session.log(), photo, model=new_model("nano", seed=1))


def test_another_decoder_is_refused(
    session: Session, new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    model = new_model("nano")
    assert bits(replay(session.log(), photo, model=model)) == bits(session.result())
    with torch.no_grad():
        model.network.decoder.level_embed[0, 0] += 1e-3
    with pytest.raises(SeemkitError, match="with other weights than the model's"):
        replay(session.log(), photo, model=model)


def test_another_answer_policy_is_refused(
    session: Session, new_model: Callable[..., Model], photo: NDArray[np.uint8]
) -> None:
    with pytest.raises(SeemkitError, match="with other weights than the model's"):
        replay(session.log(), photo, model=new_model("nano", answer_policy={"use": "priority"}))


@pytest.mark.parametrize("version", [0, 2, "1", None, True])
def test_another_version_is_refused(
    session: Session, model: Model, photo: NDArray[np.uint8], version: object
) -> None:
    with pytest.raises(SeemkitError, match=r"the log has version .*; this seemkit replays version 1"):
        replay({**session.log(), "version": version}, photo, model=model)


def damaged(**change: Any) -> Callable[[dict[str, Any]], None]:
    def damage(log: dict[str, Any]) -> None:
        for name, value in change.items():
            if value is None:
                del log[name]
            else:
                log[name] = value

    return damage


def node(**change: Any) -> Callable[[dict[str, Any]], None]:
    def damage(log: dict[str, Any]) -> None:
        damaged(**change)(log["nodes"][2])

    return damage


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damaged(nodes=None), "lacks 'nodes'"),
        (damaged(current=None), "lacks 'current'"),
        (damaged(current=99), "current is 99, expected one of 8 nodes"),
        (damaged(current=-1), "current is -1"),
        (damaged(current="2"), "current is '2'"),
        (damaged(nodes=[]), "expected one of 0 nodes"),
        (damaged(nodes=7), "of the wrong type"),
        (node(prompts=None), "lacks 'prompts'"),
        (node(parent=2), "node 2 comes from 2, which is no node before it"),
        (node(memory="1"), "node 2 comes from '1'"),
        (node(parent=-1), "node 2 comes from -1"),
        (node(prompts=[{"type": "pointt", "x": 1, "y": 1}]), "did you mean 'point'"),
        (node(prompts=[{"type": "point", "x": "left", "y": 1}]), r"nodes\[2\]\.prompts\[0\]\.x is 'left'"),
        (node(prompts=[5]), r"nodes\[2\]\.prompts\[0\] is 5"),
    ],
)
def test_a_damaged_log_is_one_sentence(
    session: Session,
    model: Model,
    photo: NDArray[np.uint8],
    damage: Callable[[dict[str, Any]], None],
    sentence: str,
) -> None:
    log = through_json(session.log())
    damage(log)
    with pytest.raises(SeemkitError, match=sentence) as caught:
        replay(log, photo, model=model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("log", [None, 5, [], "log"])
def test_what_is_no_log_is_refused(model: Model, photo: NDArray[np.uint8], log: Any) -> None:
    with pytest.raises(SeemkitError, match="the log has version None"):
        replay(log, photo, model=model)
    with pytest.raises(SeemkitError, match=f"the log is a {type(log).__name__}; give the dict"):
        replay(log, photo)
    with pytest.raises(SeemkitError, match="the log names no assembly"):
        replay({}, photo)


def test_without_a_model_the_assembly_of_the_log_is_loaded(
    session: Session, photo: NDArray[np.uint8], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("seemkit.pipeline.load.load", lambda name: asked.append(name) or model)
    assert bits(seemkit.replay(session.log(), photo)) == bits(session.result())
    assert asked == ["tiny-nano"]


def test_many_rounds_replay_without_recursion(photo: NDArray[np.uint8], model: Model) -> None:
    # each round needs the one before, and the log has no results
    log = through_json(model.session(photo).add(Point(x=5, y=5)).log())
    first, second = log["nodes"]
    rounds = [{**second, "parent": i, "memory": i or None} for i in range(1500)]
    log |= {"nodes": [first, *rounds], "current": 1500}
    calls = []

    class Quick:
        fingerprint = model.fingerprint
        assembly = None

        def encode(self, image: Any) -> Scene:
            return model.encode(image)

        def segment(self, scene: Scene, prompts: Any, *, vocabulary: Any, memory: Any) -> Result:
            calls.append(memory is not None)
            return Result(
                masks=np.zeros((1, 72, 96), bool), scores=np.zeros(1, np.float32), logits=np.zeros((1, 4, 4))
            )

    assert len(replay(log, photo, model=Quick())) == 1  # type: ignore[arg-type]
    assert calls == [False] + [True] * 1499


def test_a_log_on_a_saved_scene(
    session: Session, model: Model, tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    scene = Scene.load(session.scene.save(tmp_path / "photo.scene"))
    assert bits(replay(session.log(), scene, model=model)) == bits(session.result())


def test_a_reference_by_path_is_replayed_by_its_content(
    tiny_model: Callable[..., Model], photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    model = tiny_model("nano")
    path = tmp_path / "other.png"
    Image.fromarray(photo[:, ::-1].copy()).save(path)
    session = model.session(photo).add(Reference(image=str(path), prompts=[Point(x=20, y=15)]))
    first = session.result()
    log = json.loads(json.dumps(session.log()))
    assert str(path) not in json.dumps(log)
    path.unlink()  # whatever lies at the path later does not matter
    again = replay(log, photo, model=model, assets=session.assets())
    assert np.array_equal(first.logits, again.logits)
