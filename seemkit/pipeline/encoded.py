"""What a token prompt returned, held against the widths of the network before any row reaches the decoder."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from seemkit.errors import PromptError
from seemkit.network.network import Network
from seemkit.network.prepared import PreparedScene
from seemkit.prompting.prompt import TokenPrompt
from seemkit.prompting.rows import Anchor, Encoded, Group

__all__ = ["check_encoded"]


def check_encoded(encoded: object, prompt: TokenPrompt, network: Network, prepared: PreparedScene) -> Encoded:
    """The groups and anchors of a token prompt; rows made anew have one content per level after this.

    Raises:
        PromptError: the plugin returned something else, in one sentence.
    """
    who = f"the {prompt.type_name()} prompt of object {prompt.object!r}"
    if not isinstance(encoded, Encoded):
        found = type(encoded).__name__
        raise PromptError(f"{who} was encoded to a {found}, expected Encoded(groups, answers)")
    groups = tuple(_settle_rows(group, network.dims.levels) for group in encoded.groups)
    for group in groups:
        for wrong in _group_faults(group, network, prepared.mask_features.size):
            raise PromptError(f"{who} gave a group of role {group.role!r} {wrong}")
    for anchor in encoded.answers:
        width = network.dims.channels if anchor.space == "mask" else network.dims.text
        if anchor.vector is not None and anchor.vector.shape != (width,):
            raise PromptError(
                f"{who} gave an anchor of shape {tuple(anchor.vector.shape)} in the space {anchor.space!r}, "
                f"expected ({width},)"
            )
    like = network.decoder.level_embed
    return Encoded(groups, tuple(_place(anchor, like) for anchor in encoded.answers))


def _settle_rows(group: Group, levels: int) -> Group:
    if group.persist or isinstance(group.content, tuple) or isinstance(group.position, tuple):
        return group
    position = group.content if group.position is None else group.position
    return replace(group, content=(group.content,) * levels, position=(position,) * levels)


def _group_faults(group: Group, network: Network, cells: tuple[int, ...]) -> Iterator[str]:
    crosses = network.decoder.preset.crosses
    if group.role == "query" or (group.role in crosses and group.attends is None):
        yield "that reads the whole image, expected such rows to be limited by `attends`"
    if group.attends is not None and (group.role not in crosses or isinstance(group.content, tuple)):
        yield "that is limited by `attends` but does not read the image, expected the role 'memory'"
    if group.attends is not None and tuple(group.attends.shape) != cells:
        yield f"limited by logits of shape {tuple(group.attends.shape)}, expected {cells} (stride 4)"
    contents = group.content if isinstance(group.content, tuple) else (group.content,)
    if isinstance(group.content, tuple) and len(contents) != network.dims.levels:
        yield f"with rows for {len(contents)} levels, expected {network.dims.levels}"
    shape = tuple(contents[0].shape)
    if len(shape) != 2 or shape[1] != network.dims.channels:
        yield f"with rows of shape {shape}, expected (T, {network.dims.channels})"
    positions = group.position if isinstance(group.position, tuple) else (group.position,)
    if group.position is not None and len(positions) != len(contents):
        yield f"with positions for {len(positions)} levels, expected {len(contents)}"
    if any(x is not None and tuple(x.shape) != shape for x in (*contents, *positions)):
        yield f"whose contents and positions differ in shape, expected {shape} throughout"
    padding = group.padding
    if padding is not None and (padding.dtype != torch.bool or padding.shape != shape[:1]):
        yield f"with a padding of {padding.dtype} {tuple(padding.shape)}, expected bool {shape[:1]}"


def _place(anchor: Anchor, like: Tensor) -> Anchor:
    return anchor if anchor.vector is None else replace(anchor, vector=anchor.vector.to(like))
