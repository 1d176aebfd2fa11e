"""From an assembly to a network: components are built from their options, and their shapes must fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from seemkit.assembly.assembly import SLOTS
from seemkit.components import BackboneShape
from seemkit.errors import SeemkitError
from seemkit.host import registry as host_registry
from seemkit.imaging.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from seemkit_registry import Fault
from seemkit_registry.fault import describe_exception

if TYPE_CHECKING:
    from torch import nn

    from seemkit.assembly import Assembly
    from seemkit.components import AnswerPolicy
    from seemkit.network.network import Network
    from seemkit.prompting.context import Dims
    from seemkit.prompting.prompt import Prompt, TokenPrompt
    from seemkit_registry import Component, Registry

__all__ = ["Parts", "build_network", "build_policy", "check_shapes", "prompt_parts"]

STRIDES = (4, 8, 16, 32)


@dataclass(frozen=True)
class Parts:
    """Learned parts of the prompt types of an assembly.

    Attributes:
        names: `<distribution>.<name>` in the network, by type.
        modules: by that name.
        records: for weights files: distribution, version and API version of the plugin behind each.
    """

    names: dict[type[Prompt], str] = field(default_factory=dict)
    modules: dict[str, nn.Module] = field(default_factory=dict)
    records: dict[str, dict[str, str]] = field(default_factory=dict)


def check_shapes(assembly: Assembly, registry: Registry | None = None) -> tuple[BackboneShape, Preprocess]:
    """What the backbone declares, and the preprocessing it leads to; nothing is built or loaded.

    Raises:
        SeemkitError: strides or a fixed size do not fit, in one sentence.
    """
    registry = registry or host_registry()
    shape = _ask(assembly, registry, "backbone", "declare")
    if not isinstance(shape, BackboneShape):
        component = _component(assembly, registry, "backbone")
        raise SeemkitError(
            f"{_owner('backbone', component)} declares a {type(shape).__name__}, expected a BackboneShape; "
            f"{component.way_out}",
            path="backbone",
        )
    if tuple(shape.strides) != STRIDES:
        raise SeemkitError(
            f"backbone {assembly.backbone.use!r} gives maps at strides {tuple(shape.strides)}; pixel decoder "
            f"{assembly.pixel_decoder.use!r} needs {STRIDES}",
            path="backbone",
        )
    section = assembly.preprocess
    divisor = section.divisor or shape.divisor
    if divisor % shape.divisor:
        raise SeemkitError(
            f"preprocess.divisor is {divisor}; backbone {assembly.backbone.use!r} needs a multiple of "
            f"{shape.divisor}",
            path="preprocess.divisor",
        )
    fixed = section.fixed or shape.fixed_size
    if shape.fixed_size is not None and fixed != shape.fixed_size:
        raise SeemkitError(
            f"preprocess.fixed is {fixed}; backbone {assembly.backbone.use!r} takes only {shape.fixed_size}",
            path="preprocess.fixed",
        )
    preprocess = Preprocess(
        short=section.short,
        long=section.long,
        divisor=divisor,
        mean=section.mean or shape.mean or IMAGENET_MEAN,
        std=section.std or shape.std or IMAGENET_STD,
        fixed=fixed,
        resample=section.resample,
    )
    return shape, preprocess


def build_network(assembly: Assembly, registry: Registry | None = None) -> tuple[Network, Preprocess, Parts]:
    """The network with random weights, its preprocessing, and where plugins have learned parts.

    Raises:
        SeemkitError: components do not fit each other, in one sentence, before anything is built.
    """
    from seemkit.network.network import Network
    from seemkit.pipeline.encoder_check import watch_backbone
    from seemkit.prompting.context import Dims

    registry = registry or host_registry()
    shape, preprocess = check_shapes(assembly, registry)
    ask = partial(_ask, assembly, registry)
    dim = ask("pixel_decoder", "declare")
    mask_decoder = ask("mask_decoder", "build", dim)
    text_dim = ask("text_encoder", "declare")
    parts = prompt_parts(assembly, Dims(dim, text_dim), registry)
    image_encoder = ask("backbone", "build")
    watch_backbone(image_encoder, shape, _component(assembly, registry, "backbone"))
    pixel_decoder = ask("pixel_decoder", "build", shape)
    try:
        text_encoder = ask("text_encoder", "build")
        network = Network(image_encoder, pixel_decoder, mask_decoder, text_encoder, text_dim, parts.modules)
        network.plugins = dict(parts.records)
        network.text_owner = _owner("text_encoder", _component(assembly, registry, "text_encoder"))
    except SeemkitError:
        raise
    except (ValueError, TypeError, RuntimeError, AttributeError) as error:
        message = f"assembly {assembly.name!r} cannot be built: {error}"
        raise SeemkitError(message, path=assembly.name) from error
    return network, preprocess, parts


def _ask(assembly: Assembly, registry: Registry, slot: str, method: str, *more: object) -> Any:
    """What the component of a slot answers to `declare` or `build` with its options.

    Raises:
        SeemkitError: it raised; the sentence names its plugin and the way out.
    """
    component = _component(assembly, registry, slot)
    found = registry.load(component)
    try:
        return getattr(found, method)(getattr(assembly, slot).settings, *more)
    except SeemkitError:
        raise
    except Exception as error:
        if component.distribution == registry.host and isinstance(
            error, ValueError | TypeError | RuntimeError
        ):
            said = f"assembly {assembly.name!r} cannot be built: {error}"
        else:
            said = (
                f"assembly {assembly.name!r} cannot be built: {method} of {_owner(slot, component)} raised "
                f"{describe_exception(error)[0]}; {component.way_out}, or choose another with -s {slot}=NAME"
            )
        raise SeemkitError(said, path=slot) from error


def _component(assembly: Assembly, registry: Registry, slot: str) -> Component:
    return registry.resolve(SLOTS[slot], getattr(assembly, slot).component)


def _owner(slot: str, component: Component) -> str:
    return f"the {slot.replace('_', ' ')} {component.name!r} of the plugin {component.distribution!r}"


def prompt_parts(assembly: Assembly, dims: Dims, registry: Registry) -> Parts:
    """Learned parts of the assembly's prompt types; a plugin whose part cannot be built is quarantined."""
    from seemkit.api import VERSION
    from seemkit.prompting.prompt import TokenPrompt

    parts = Parts()
    wanted = {c.qualified for c in assembly.prompt_components(registry)}
    for component, found in registry.load_all("prompts", assembly.prefer):
        if component.qualified not in wanted or not (
            isinstance(found, type) and issubclass(found, TokenPrompt)
        ):
            continue
        name = f"{component.distribution.replace('.', '_')}.{component.name}"
        try:
            module = _build_part(found, dims, name)
        except Exception as error:
            cause = f"its build({dims}) raised {type(error).__name__}: {error}"
            fault = Fault("prompts", component.versioned, component.distribution, cause, component.way_out)
            registry.quarantine(component, fault)
            continue
        if module is not None:
            parts.names[found], parts.modules[name] = name, module
            parts.records[name] = {
                "distribution": component.distribution,
                "version": component.version,
                "api": VERSION,
            }
    return parts


def _build_part(kind: type[TokenPrompt], dims: Dims, name: str) -> nn.Module | None:
    from torch import nn

    from seemkit.network.network import CORE_PARTS

    module = kind.build(dims)
    if module is not None and not isinstance(module, nn.Module):
        raise TypeError(f"it is a {type(module).__name__}, expected a torch.nn.Module or None")
    if module is not None and any(
        part in CORE_PARTS or hasattr(nn.ModuleDict, part) for part in name.split(".")
    ):
        raise ValueError(f"parameters cannot be stored under the name {name!r}, which torch or seemkit uses")
    return module


def build_policy(assembly: Assembly, registry: Registry | None = None) -> AnswerPolicy:
    """The answer policy of an assembly."""
    registry = registry or host_registry()
    policy: AnswerPolicy = _ask(assembly, registry, "answer_policy", "build")
    return policy
