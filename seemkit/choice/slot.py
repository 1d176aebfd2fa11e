"""A component that was chosen, and its options."""

from pydantic import BaseModel, ConfigDict, JsonValue, SerializeAsAny

__all__ = ["NoOptions", "Slot"]


class NoOptions(BaseModel):
    """The options of a component that takes none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slot(BaseModel):
    """One component and its options.

    Attributes:
        use: the name as the configuration has it.
        component: its qualified name, such as ``seemkit/timm``.
        settings: the options, validated by the model ``Options`` of the component; hand it to its ``build``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str
    component: str
    settings: SerializeAsAny[BaseModel]

    def options(self) -> dict[str, JsonValue]:
        """The options that were given, as plain data; defaults are left out."""
        return dict(self.settings.model_dump(mode="json", exclude_unset=True))
