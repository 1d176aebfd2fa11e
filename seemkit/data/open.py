"""Opening a data set by the name of its plugin."""

from collections.abc import Mapping

from pydantic import JsonValue

from seemkit.choice import Slot, choose
from seemkit.data.dataset import Dataset
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit_registry import Registry
from seemkit_registry.fault import describe_exception

__all__ = ["open_dataset"]


def open_dataset(
    given: str | Mapping[str, JsonValue] | Slot, registry: Registry | None = None, source: str = "data set"
) -> Dataset:
    """The data set that a name, a mapping such as ``{"use": "folder", "path": "photos"}``, or a checked choice means.

    Args:
        given: the choice.
        registry: of the plugins; by default that of the process.
        source: what messages call the place where the choice was written.

    Raises:
        ConfigurationError: no plugin has this name, or an option is wrong; all of it, with the nearest right.
        SeemkitError: nothing can be read where the options say.
    """
    registry = registry or host_registry()
    plain = dict(given) if isinstance(given, Mapping) else given
    slot = plain if isinstance(plain, Slot) else choose("datasets", plain, registry, source)
    component = registry.resolve("datasets", slot.component)
    found = registry.load(component)
    assert isinstance(found, type), "the host checked that it is a class"
    assert issubclass(found, Dataset), "the host checked its base"
    try:
        return found.build(slot.settings)
    except SeemkitError:
        raise
    except Exception as error:
        said = f"the data set {slot.use!r} of the plugin {component.distribution!r} cannot be opened"
        raise SeemkitError(f"{said}: {describe_exception(error)[0]}; {component.way_out}") from error
