"""Checks of a prompt as a value: frozen, compared by content, carried as JSON and by pickle."""

import copy
import json
import pickle
from collections.abc import Iterator

import numpy as np
from pydantic import JsonValue, ValidationError

from seemkit.errors import PromptError
from seemkit.prompting.assets import collect_assets
from seemkit.prompting.prompt import Prompt
from seemkit.testing.bench import SIZE
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import PromptCase, sentence_of
from seemkit.testing.violation import Fault, demand, fail, one_line, skip

__all__ = ["PromptValueChecks"]

WRONG: tuple[object, ...] = (None, "garbage", -1e30, [], {}, b"", object())


class PromptValueChecks(PromptCase):
    """A prompt is a frozen value."""

    @check(
        "The example of a prompt type is a value of that type that fits an image of 64 x 48 pixels",
        why="Help, documentation and every other check begin with it.",
        mend="give example() a value that check((48, 64)) accepts",
    )
    def test_the_example_fits_64_by_48_pixels(self) -> None:
        example = self.prompt.example()
        demand(type(example) is self.prompt, f"gave an example that is a {type(example).__name__}")
        example.check(SIZE)

    @check(
        "A prompt comes back from its JSON equal, and gives the same JSON again",
        why="Requests, logs of sessions and the service carry prompts as JSON.",
        mend="give each field a type that pydantic writes and reads, and arrays the type api.BinaryMask or api.Asset",
    )
    def test_it_comes_back_from_json_as_it_was(self) -> None:
        for value in self.values():
            text = value.model_dump_json()
            context = {"assets": collect_assets([value])}
            back = self.prompt.model_validate(json.loads(text), context=context)
            demand(back == value, f"came back from {one_line(text, 120)} as another value")
            demand(back.model_dump_json() == text, f"came back from {one_line(text, 120)} with other JSON")
            lost = [name for name in _fields(value) if not _same(getattr(back, name), getattr(value, name))]
            demand(not lost, f"came back from {one_line(text, 120)} with another {', '.join(lost)}")

    @check(
        "A prompt type has a JSON schema that names its type and allows no other fields",
        why="The schema of requests and the forms of the web page are made from it.",
        mend="use field types that pydantic can describe and leave extra='forbid' as it is",
    )
    def test_it_has_a_json_schema(self) -> None:
        schema = self.prompt.model_json_schema()
        json.dumps(schema)
        stated = schema.get("properties", {}).get("type", {}).get("const")
        demand(stated == self.prompt.type_name(), f"has a schema whose type is {stated!r}")
        demand(schema.get("additionalProperties") is False, "has a schema that allows any other field")

    @check(
        "No field of a prompt can be set after it was made",
        why="Sessions, caches and logs keep prompts and rely on them staying what they were.",
        mend="leave model_config frozen",
    )
    def test_it_is_frozen(self) -> None:
        example = self.example()
        for name in type(example).model_fields:
            try:
                setattr(example, name, getattr(example, name))
            except (ValidationError, AttributeError, TypeError):
                continue
            fail(f"let its field {name!r} be set")

    @check(
        "Prompts with the same content are equal and hash alike, and object and include are part of it",
        why="Duplicates are dropped by content, and caches and seeds of sampling go by it.",
        mend="leave __eq__, __hash__ and content_key() to the base class",
    )
    def test_it_is_equal_by_content(self) -> None:
        example, again = self.example(), self.example()
        demand(example == again, "gave two examples that are not equal")
        demand(hash(example) == hash(again), "gave two equal examples with different hashes")
        demand(example.content_key() == again.content_key(), "gave equal values different content keys")
        changes: list[dict[str, object]] = [{"object": "another"}]
        changes += [{"include": not example.include}] * self.prompt.excludes
        for change in changes:
            other = example.model_copy(update=change)
            demand(other != example, f"is equal to itself with {change}")
            demand(other.content_key() != example.content_key(), f"has the same content key with {change}")

    @check(
        "A prompt comes back from pickle equal",
        why="Training and evaluation hand prompts to other processes.",
        mend="define the class at the top of a module, and keep nothing in a value that pickle refuses",
    )
    def test_it_can_be_pickled(self) -> None:
        for value in self.values():
            back = pickle.loads(pickle.dumps(value))  # noqa: S301 - of our own making
            demand(back == value, "came back from pickle as another value")

    @check(
        "Copies of a prompt are equal to it, and a copy with another object keeps every other field",
        why="The command line, sessions and tracking rename objects by copying.",
        mend="leave copying to pydantic: no __copy__, __deepcopy__ or model_copy of your own",
    )
    def test_its_copies_are_equal(self) -> None:
        for value in self.values():
            for name, made in (("copy", copy.copy(value)), ("deepcopy", copy.deepcopy(value))):
                demand(made == value, f"gave a {name} that is another value")
            moved = value.model_copy(update={"object": "another"})
            demand(moved.object == "another", "kept its object when copied to another")
            back = moved.model_copy(update={"object": value.object})
            demand(back == value, "lost content when copied to another object and back")

    @check(
        "A field that the type does not have is refused in one sentence that names it",
        why="A misspelt field that is ignored gives a wrong answer instead of an error.",
        mend="leave extra='forbid' as it is, and raise nothing but ValueError in validators",
    )
    def test_an_unknown_field_is_refused_in_a_sentence(self) -> None:
        name = "no_such_field"
        try:
            self.prompt(**{**_fields(self.example()), name: 1})
        except (PromptError, ValidationError) as error:
            sentence_of(error, f"the field {name!r}")
            demand(name in str(error), f"refused the field {name!r} without naming it: {error}")
            return
        fail(f"took the field {name!r}")

    @check(
        "A value that a field cannot have is refused in one sentence",
        why="What a user gets wrong ends in a sentence, on the command line and in the service.",
        mend="raise ValueError with one line in validators, and let pydantic check types before they run",
    )
    def test_a_wrong_value_is_refused_in_a_sentence(self) -> None:
        fields = _fields(self.example())
        for name in fields:
            for wrong in WRONG:
                try:
                    self.prompt(**{**fields, name: wrong})
                except Fault:
                    raise
                except Exception as error:  # of the plugin
                    sentence_of(error, f"{name}={one_line(repr(wrong), 40)}")

    @check(
        "A number that is not finite is refused wherever it stands",
        why="NaN spreads through a whole batch and is hard to trace back.",
        mend="leave allow_inf_nan=False as it is, and check numbers within fields of your own types",
    )
    def test_a_number_that_is_not_finite_is_refused(self) -> None:
        data = json.loads(self.example().model_dump_json())
        numbers = list(_numbers(data))
        if not numbers:
            skip("its example holds no number")
        for path in numbers[:20]:
            for bad in (float("nan"), float("inf")):
                changed = json.loads(json.dumps(data))
                _put(changed, path, bad)
                try:
                    self.prompt.model_validate(changed)
                except (PromptError, ValidationError):
                    continue
                fail(f"took {'.'.join(map(str, path))}={bad}")

    @check(
        "Settling a prompt gives one that is equal to itself when settled again, with object and sign kept",
        why="Sessions settle prompts once, so that files which they name may change later.",
        mend="let settled() return self, or a copy with everything loaded",
    )
    def test_settling_is_done_once(self) -> None:
        example = self.example()
        settled = example.settled()
        demand(type(settled) is self.prompt, f"settled to a {type(settled).__name__}")
        demand(settled.settled() == settled, "settled to another value the second time")
        kept = (settled.object, settled.include) == (example.object, example.include)
        demand(kept, "lost its object or sign when it settled")


def _fields(prompt: Prompt) -> dict[str, object]:
    return {name: getattr(prompt, name) for name in type(prompt).model_fields}


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


Path = tuple[str | int, ...]


def _numbers(data: JsonValue, path: Path = ()) -> Iterator[Path]:
    """Where numbers stand in the fields and in lists of them; run lengths and hashes are left alone."""
    if isinstance(data, dict) and not path:
        for name, value in data.items():
            yield from _numbers(value, (name,))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _numbers(value, (*path, index))
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield path


def _put(data: JsonValue, path: Path, value: float) -> None:
    at: object = data
    for step in path[:-1]:
        at = at[step]  # type: ignore[index]
    at[path[-1]] = value  # type: ignore[index]
