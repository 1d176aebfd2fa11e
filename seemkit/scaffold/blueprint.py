"""Which kinds of project can be made, and what differs between them beside their templates."""

from dataclasses import dataclass

__all__ = ["BLUEPRINTS", "Blueprint"]


@dataclass(frozen=True)
class Blueprint:
    """A kind of project; the folder `templates/<word>` holds its component and its tests.

    Attributes:
        word: what follows `seemkit new`.
        kind: of the component, which is the group of its entry point without `seemkit.`
        what: the component in words, with its article.
        about: what the component of the template is or does, where the author says nothing.
        trial: commands that try it out, once it is installed; `${name}` stands for its name.
        torch: whether its code derives from torch's classes, so that mypy has to read torch's types. They are
            three quarters of the time that mypy takes for a new project, and no other kind needs them.
    """

    word: str
    kind: str
    what: str
    about: str
    trial: tuple[str, ...]
    torch: bool = False


_ALL = (
    Blueprint(
        "prompt",
        "prompts",
        "a prompt",
        "a round spot on the object",
        ("seemkit info ${name}", "seemkit segment photo.jpg --${name} VALUE -o out.png"),
    ),
    Blueprint(
        "token-prompt",
        "prompts",
        "a prompt",
        "any of several words for the object",
        ("seemkit info ${name}", "seemkit segment photo.jpg --${name} VALUE -o out.png"),
    ),
    Blueprint(
        "backbone",
        "backbones",
        "a backbone",
        "four strided convolutions",
        ("seemkit info ${name}", "seemkit plan nano -s backbone=${name}"),
        torch=True,
    ),
    Blueprint(
        "text-encoder",
        "text_encoders",
        "a text encoder",
        "a learned vector for each word",
        ("seemkit info ${name}", "seemkit plan nano -s text_encoder=${name}"),
        torch=True,
    ),
    Blueprint(
        "answer-policy",
        "answer_policies",
        "an answer policy",
        "the surest anchor decides",
        (
            "seemkit info ${name}",
            "seemkit segment photo.jpg --point 120,80 -s answer_policy=${name} -o out.png",
        ),
    ),
    Blueprint(
        "hooks",
        "hooks",
        "hooks",
        "a line in the log for every answer",
        ("seemkit info ${name}", "seemkit segment photo.jpg --point 120,80 -o out.png"),
    ),
    Blueprint(
        "exporter",
        "exporters",
        "an exporter",
        "a line of CSV for every mask",
        ("seemkit info ${name}", "seemkit segment photo.jpg --point 120,80 --export ${name}:out.csv"),
    ),
    Blueprint(
        "dataset",
        "datasets",
        "a data set",
        "made-up pictures of squares",
        ("seemkit info ${name}",),
    ),
)

BLUEPRINTS = {blueprint.word: blueprint for blueprint in _ALL}
"""By the word that follows `seemkit new`."""
