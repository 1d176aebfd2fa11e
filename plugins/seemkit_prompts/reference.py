"""The prompt `reference`: an object like the one selected in another image."""

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, ValidationInfo, WithJsonSchema

from seemkit.api import (
    Draw,
    EncodeContext,
    Encoded,
    Picture,
    Prompt,
    PromptError,
    SpatialPrompt,
    TokenPrompt,
    open_picture,
    prompt_type,
    prompt_types,
    read_prompt,
)

__all__ = ["Reference"]

_FLAG = re.compile(r"(?P<image>.+?)#(?P<prompts>(?:not-)?[a-z][a-z0-9_-]*=.*)", re.DOTALL)
_SPATIAL = {  # of any installed type, which only the union of all types can say in full
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "items": {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]},
}
_FORM = "IMAGE#point=120,80 (several prompts joined by ';')"


def _read_prompts(value: object, info: ValidationInfo) -> object:
    """JSON objects become prompts of the installed types; prompts are kept as they are."""
    if not isinstance(value, list | tuple):
        return value
    assets = (info.context or {}).get("assets")
    return [
        read_prompt(item, path=f"prompts[{i}]", assets=assets) if isinstance(item, dict) else item
        for i, item in enumerate(value)
    ]


def _check_prompts(prompts: Sequence[Prompt]) -> Sequence[Prompt]:
    for i, prompt in enumerate(prompts):
        if not isinstance(prompt, SpatialPrompt):
            spatial = ", ".join(
                name for name, kind in prompt_types().items() if issubclass(kind, SpatialPrompt)
            )
            raise ValueError(f"reference prompts[{i}] is a {prompt.type}, expected one of {spatial}")
    if not any(prompt.include for prompt in prompts):
        raise ValueError("reference has no prompt that includes, expected one at least")
    return tuple(prompts)


class Reference(TokenPrompt):
    """A region of another image: what spatial prompts select there is looked for here.

    Attributes:
        image: a path, which is opened when the prompt is encoded; pixels (a uint8 array or PIL image), which
            travel by hash; or a scene, which travels by fingerprint.
        prompts: spatial prompts in pixels of that image, at least one of which includes; their `object` does
            not count.
    """

    type: Literal["reference"] = "reference"
    image: Picture
    prompts: Annotated[
        Sequence[SerializeAsAny[Prompt]],
        Field(min_length=1, max_length=1000, description="spatial prompts on the other image"),
        BeforeValidator(_read_prompts),
        AfterValidator(_check_prompts),
        WithJsonSchema(_SPATIAL),
    ]
    draw: ClassVar[Draw] = "image"

    def encode(self, context: EncodeContext) -> Encoded:
        return context.reference(self.image, self.prompts, self.include)

    def settled(self) -> Self:
        if not isinstance(self.image, str):
            return self
        return self.model_copy(update={"image": open_picture(self.image)})

    def check(self, image: tuple[int, int]) -> None:
        if isinstance(self.image, np.ndarray):
            size = (self.image.shape[0], self.image.shape[1])
        elif (found := getattr(self.image, "size", None)) is not None:  # of a scene
            size = found
        else:
            return  # the size of a file is known when it is opened; whoever encodes checks then
        for i, prompt in enumerate(self.prompts):
            try:
                prompt.check(size)
            except PromptError as error:
                path = f"prompts[{i}]" + (f".{error.path}" if error.path else "")
                raise PromptError(f"reference prompts[{i}]: {error}", path=path) from None

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _FLAG.fullmatch(text)
        if found is None:
            raise PromptError(f"--reference {text!r} is not of the form {_FORM}", path="reference")
        prompts = []
        for part in filter(None, (piece.strip() for piece in found["prompts"].split(";"))):
            name, equals, value = part.partition("=")
            if not equals:
                raise PromptError(f"--reference has {part!r} where expected {_FORM}", path="reference")
            prompt = prompt_type(name.removeprefix("not-"), path="--reference").parse(value)
            prompts.append(prompt.model_copy(update={"include": not name.startswith("not-")}))
        return cls(image=found["image"], prompts=prompts)

    @classmethod
    def example(cls) -> Self:
        rows, columns = np.mgrid[:48, :64]
        pixels = np.stack((4 * columns, 5 * rows, 2 * (rows + columns)), axis=-1).astype(np.uint8)
        box = {"type": "box", "x1": 8, "y1": 6, "x2": 40, "y2": 30}
        return cls.model_validate({"image": pixels, "prompts": [box]})
