"""The errors a user of seemkit can meet: each is one sentence and carries its data."""

__all__ = [
    "ConceptError",
    "ImageError",
    "PromptError",
    "SceneError",
    "SeemkitError",
    "VocabularyError",
    "WeightsError",
]


class SeemkitError(ValueError):
    """Something the caller asked for cannot be done as asked.

    ``str(error)`` is one sentence: what was given, where, what was expected and the nearest fix.

    Attributes:
        path: where in the request, file or assembly the fault lies, such as ``prompts[2].x``.
        suggestion: the nearest right value, if there is one.
    """

    def __init__(self, message: str, *, path: str | None = None, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.suggestion = suggestion


class ConceptError(SeemkitError):
    """A concept file that is missing or damaged, or that other weights made."""


class ImageError(SeemkitError):
    """An image that is missing, damaged, empty, too large or of a shape that is not one."""


class PromptError(SeemkitError):
    """A prompt that selects nothing, lies outside the image or cannot be combined as asked."""


class SceneError(SeemkitError):
    """A scene file that is damaged, or that another encoder made."""


class VocabularyError(SeemkitError):
    """A vocabulary that is empty, too large or holds something that is not a name."""


class WeightsError(SeemkitError):
    """Weights that are missing, damaged or do not fit the assembly."""
