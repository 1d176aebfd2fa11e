"""A session: a conversation about one image, in rounds, with memory, undo, redo and a log that replays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from seemkit.errors import PromptError, SeemkitError
from seemkit.vocabulary import as_vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from seemkit.pipeline.model import Model
    from seemkit.prompting.prompt import Prompt
    from seemkit.result import Result
    from seemkit.scene import ImageSource, Scene
    from seemkit.vocabulary import Vocabulary

__all__ = ["LOG_VERSION", "Session", "replay"]

LOG_VERSION = 1


@dataclass
class Node:
    """One state of the history: the prompts, and the node whose chosen masks went in as memory."""

    prompts: tuple[Prompt, ...]
    parent: int | None
    memory: int | None
    result: Result | None = field(default=None, repr=False)
    undone: int | None = None
    """The child that `redo` goes to."""


class Session:
    """Prompts on one scene, round by round. Not to be shared by threads; the model behind it can be.

    A round is one `result()`: the masks it chose go into the rounds after the next change as memory. A state
    that is visited again, by undo or redo, gives the same bits.

    Args:
        model: the model.
        scene: the scene, encoded once.
        vocabulary: names for labels.
    """

    def __init__(self, model: Model, scene: Scene, *, vocabulary: Sequence[str] | None = None) -> None:
        self.model = model
        self.scene = scene
        self.vocabulary = None if vocabulary is None else as_vocabulary(vocabulary)
        self._nodes = [Node((), None, None)]
        self._at = 0

    def __repr__(self) -> str:
        return f"Session({self.scene!r}, {len(self.prompts)} prompts, {len(self.objects)} objects)"

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """What is asked at the moment."""
        return self._nodes[self._at].prompts

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that are asked for, in order of first mention."""
        return tuple(dict.fromkeys(p.object for p in self.prompts))

    def add(self, *prompts: Prompt) -> Session:
        """Ask more. The prompts are checked against the image at once; returns the session.

        An image that a prompt names by its path is read now, so that the log means its content.
        """
        from seemkit.pipeline.compose import check_prompt

        if not prompts:
            raise PromptError("add() was given no prompt; give at least one, such as Point(x=120, y=80)")
        held = []
        for index, prompt in enumerate(prompts):
            place = f"prompts[{index}] of add()"
            check_prompt(prompt, self.scene.size, place)
            held.append(prompt.settled())
            check_prompt(held[-1], self.scene.size, place)
        self._change((*self.prompts, *held))
        return self

    def remove(self, what: Prompt | int | str) -> Session:
        """Take back a prompt, the one at an index, or all of an object by its name."""
        if isinstance(what, str):
            kept = tuple(p for p in self.prompts if p.object != what)
            if len(kept) == len(self.prompts):
                raise PromptError(f"there is no object {what!r} to remove; there are {list(self.objects)}")
        else:
            index = self._find(what)
            kept = self.prompts[:index] + self.prompts[index + 1 :]
        self._change(kept)
        return self

    def undo(self) -> bool:
        """Go back one change; False if there is none."""
        parent = self._nodes[self._at].parent
        if parent is None:
            return False
        self._nodes[parent].undone = self._at
        self._at = parent
        return True

    def redo(self) -> bool:
        """Go forward to the change undone last; False if there is none."""
        child = self._nodes[self._at].undone
        if child is None:
            return False
        self._at = child
        return True

    def result(self) -> Result:
        """Answer what is asked; asked again without a change, the same result comes back."""
        return self._result(self._at)

    def log(self) -> dict[str, Any]:
        """The history as JSON without pixels: run `replay(log, image)` for the same bits.

        Masks travel as run lengths; logits and reference images by hash, to be handed to `replay` as assets:
        `assets()` has them.
        """
        assembly = self.model.assembly
        return {
            "version": LOG_VERSION,
            "assembly": assembly.name if assembly is not None else None,
            "model": self.model.fingerprint,
            "scene": self.scene.fingerprint,
            "size": list(self.scene.size),
            "vocabulary": None if self.vocabulary is None else _written(self.vocabulary),
            "nodes": [
                {
                    "prompts": [p.model_dump(mode="json") for p in node.prompts],
                    "parent": node.parent,
                    "memory": node.memory,
                    "answered": node.result is not None,
                }
                for node in self._nodes
            ],
            "current": self._at,
        }

    def assets(self) -> dict[str, object]:
        """What the log names by hash: arrays of logits, reference images and scenes, {hash: value}."""
        from seemkit.prompting.assets import collect_assets

        return collect_assets(prompt for node in self._nodes for prompt in node.prompts)

    @classmethod
    def from_log(
        cls,
        model: Model,
        log: Mapping[str, Any],
        image: ImageSource,
        *,
        assets: Mapping[str, Any] | None = None,
    ) -> Session:
        """The session that a log describes, on the same image; results are computed when asked for.

        Raises:
            SeemkitError: the log is of another version, damaged, or of another image or model.
        """
        _check_version(log)
        scene = model.encode(image)
        made_with = f"the assembly {log.get('assembly')!r}"
        if scene.fingerprint != log.get("scene"):
            raise SeemkitError(
                "the log was written for another image, or with other encoder weights or another precision, than "
                f"those given; replay it on the image it was made on, with {made_with}"
            )
        if model.fingerprint != log.get("model"):
            raise SeemkitError(
                "the log was written with other weights than the model's, or other options or another precision, so "
                f"it would give other bits; replay it with what it was made with, {made_with}"
            )
        session = cls(model, scene, vocabulary=log.get("vocabulary"))
        session._nodes, session._at = _read_nodes(log, assets)
        return session

    def _change(self, prompts: tuple[Prompt, ...]) -> None:
        node = self._nodes[self._at]
        memory = self._at if node.result is not None else node.memory
        self._nodes.append(Node(prompts, self._at, memory))
        self._at = len(self._nodes) - 1

    def _find(self, what: Prompt | int) -> int:
        from seemkit.prompting.prompt import Prompt as PromptType

        if isinstance(what, bool) or not isinstance(what, PromptType | int):
            raise PromptError(
                f"remove() was given {what!r}; give a prompt of the session, its index, or an object's name"
            )
        if isinstance(what, int):
            if not -len(self.prompts) <= what < len(self.prompts):
                raise PromptError(f"there is no prompt {what} to remove; there are {len(self.prompts)}")
            return what % len(self.prompts)
        held = what if what in self.prompts else what.settled()
        if held not in self.prompts:
            raise PromptError(f"the {what.type_name()} prompt to remove is not in the session")
        return self.prompts.index(held)

    def _result(self, at: int) -> Result:
        rounds = [at]
        while (earlier := self._nodes[rounds[-1]].memory) is not None and self._nodes[
            rounds[-1]
        ].result is None:
            rounds.append(earlier)
        for place in reversed(rounds):  # a log of many rounds is replayed from its first on
            node = self._nodes[place]
            if node.result is None:
                memory = None if node.memory is None else self._memory(node.memory)
                node.result = self.model.segment(
                    self.scene, node.prompts, vocabulary=self.vocabulary, memory=memory
                )
        result = self._nodes[at].result
        assert result is not None
        return result

    def _memory(self, at: int) -> dict[str, Tensor]:
        """The chosen masks of a round, (h, w) logits at stride 4 by object."""
        result = self._nodes[at].result
        if result is None or result.logits is None:
            return {}
        return {name: torch.tensor(x) for name, x in zip(result.objects, result.logits, strict=True)}


def replay(
    log: Mapping[str, Any],
    image: ImageSource,
    *,
    model: Model | None = None,
    assets: Mapping[str, Any] | None = None,
) -> Result:
    """Compute a session's current result again from its log and its image: the same bits.

    Args:
        log: what `Session.log` gave.
        image: the image of the session.
        model: the model; by default the assembly that the log names is loaded.
        assets: arrays that travel by hash, {hash: array}.

    Raises:
        SeemkitError: the log is damaged, or of another image or model.
    """
    if model is None:
        from seemkit.pipeline.load import load

        if not isinstance(log, Mapping):
            raise SeemkitError(
                f"the log is a {type(log).__name__}; give the dict of Session.log(), or json.loads(text)"
            )
        name = log.get("assembly")
        if not name:
            raise SeemkitError("the log names no assembly; give replay the model that it was made with")
        model = load(str(name))
    return Session.from_log(model, log, image, assets=assets).result()


def _written(vocabulary: Vocabulary) -> list[str] | dict[str, Any]:
    """The names alone where there is no more to say."""
    return list(vocabulary) if vocabulary.is_plain else vocabulary.to_dict()


def _check_version(log: Mapping[str, Any]) -> None:
    version = log.get("version") if isinstance(log, Mapping) else None
    if version != LOG_VERSION or isinstance(version, bool):
        raise SeemkitError(f"the log has version {version!r}; this seemkit replays version {LOG_VERSION}")


def _read_nodes(log: Mapping[str, Any], assets: Mapping[str, Any] | None) -> tuple[list[Node], int]:
    from seemkit.prompting.read import read_prompt

    try:
        nodes = []
        for i, entry in enumerate(log["nodes"]):
            prompts = tuple(
                read_prompt(prompt, path=f"nodes[{i}].prompts[{j}]", assets=assets)
                for j, prompt in enumerate(entry["prompts"])
            )
            nodes.append(Node(prompts, _earlier(entry["parent"], i), _earlier(entry["memory"], i)))
        current = log["current"]
        if not isinstance(current, int) or not 0 <= current < len(nodes):
            raise SeemkitError(
                f"the log is damaged: current is {current!r}, expected one of {len(nodes)} nodes"
            )
    except KeyError as error:
        raise SeemkitError(f"the log is damaged: it lacks {error}") from error
    except TypeError as error:
        raise SeemkitError(f"the log is damaged: something is of the wrong type ({error})") from error
    return nodes, current


def _earlier(index: object, own: int) -> int | None:
    if index is None or (isinstance(index, int) and not isinstance(index, bool) and 0 <= index < own):
        return index
    raise SeemkitError(f"the log is damaged: node {own} comes from {index!r}, which is no node before it")
