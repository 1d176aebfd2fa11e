"""The runtime of a model: it encodes, prepares and decodes as the options of its assembly say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from seemkit.assembly.runtime_section import RuntimeSection
from seemkit.components import PixelFeatures
from seemkit.errors import SeemkitError
from seemkit.network.decoder import Decoded
from seemkit.network.precision import full_precision
from seemkit.network.resampling import channels_last
from seemkit.network.transfer import fetch, send
from seemkit.runtime.compiled import CompiledSteps
from seemkit.runtime.decoding import DecoderSteps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.network.rows import RowBatch

__all__ = ["Runtime"]

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Runtime:
    """How one network is run. Threads can share it; it holds no image and no prompt.

    Args:
        section: the options; by default everything is plain float32.
        backend: of torch.compile.
    """

    def __init__(self, section: RuntimeSection | None = None, *, backend: str = "inductor") -> None:
        self.section = section or RuntimeSection.default()
        self._reduced = None if self.section.precision == "float32" else DTYPES[self.section.precision]
        self._encoder: CompiledSteps | None = None
        mode = "default" if self.section.compile is True else self.section.compile
        if mode:
            limit = self.section.compile_sizes
            self._encoder = CompiledSteps("the image encoder", mode, limit, backend=backend)
        self._decoder = DecoderSteps(mode or None, graphs=self.section.cuda_graphs, backend=backend)

    @property
    def precision(self) -> str:
        """What results are told apart by beyond rounding: float32, tf32, bfloat16 or float16."""
        return "tf32" if self.section.tf32 else self.section.precision

    @property
    def pinned(self) -> bool:
        """Whether tensors travel by way of pinned memory."""
        return self.section.pin_memory

    def autocast(self, device: torch.device) -> torch.autocast:
        """The context in which layers compute in the precision; in float32 it casts nothing."""
        if self._reduced is None:
            return full_precision(device)
        return torch.autocast(device.type, self._reduced, cache_enabled=False)

    def encode(self, network: Network, images: Tensor) -> PixelFeatures:
        """Normalised, padded images (B, 3, H, W) of the host to pixel features in the precision.

        Raises:
            SeemkitError: the maps are not finite, or the weights were cast to half precision.
        """
        dtype = network.decoder.level_embed.dtype
        if dtype in DTYPES.values():
            name = str(dtype).removeprefix("torch.")
            possible = name if network.device.type == "cuda" else "bfloat16"
            raise SeemkitError(
                f"the network's weights were cast to {name}, and it computes with float32 weights only; undo it with "
                f"model.network.float(), or load the model with runtime.precision={possible} instead of casting",
                path="runtime.precision",
            )
        batch = send(images, network.device, self.pinned).to(dtype)

        def encode(image: Tensor) -> tuple[Tensor, ...]:
            found = network.encode(image)
            return (*found.levels, found.fine, *(() if found.meaning is None else (found.meaning,)))

        with self.autocast(batch.device):
            if self._encoder is None:
                maps = encode(batch)
            else:
                maps = self._encoder.run(tuple(batch.shape), lambda: encode, batch)
        first, second, third, fine, *more = (x.to(self._reduced or x.dtype) for x in maps)
        if self._encoder is not None or self._reduced is not None:
            self._check((first, second, third, fine, *more))
        meaning = more[0] if more else None
        return PixelFeatures((first, second, third), fine, meaning)

    def prepare(
        self, network: Network, levels: Sequence[Tensor], fine: Tensor, meaning: Tensor | None = None
    ) -> PreparedScene:
        """What the decoder makes of the maps (C, h, w) of a scene, from whatever device and precision.

        Brought to one form, equal scenes give equal bits: one from a file has lost its memory format.
        """
        kept = self._reduced or network.decoder.level_embed.dtype
        given = (*levels, fine, *(() if meaning is None else (meaning,)))
        maps = [channels_last(send(x[None], network.device, self.pinned).to(kept)) for x in given]
        read = None if meaning is None else maps.pop()
        finest = maps.pop()
        with self.autocast(network.device):
            return network.decoder.prepare(maps, network.mask_features(finest), read)

    def look_closer(self, network: Network, prepared: PreparedScene, photo: Tensor) -> PreparedScene:
        """The scene with what names are read from by a closer look at an image (3, k H, k W), kept in the precision."""
        assert prepared.meaning is not None
        kept = self._reduced or network.decoder.level_embed.dtype
        image = send(photo[None], network.device, self.pinned).to(network.decoder.level_embed.dtype)
        with self.autocast(network.device):
            nearer = network.look_closer(image, prepared.meaning)
        return replace(prepared, nearer=nearer.to(kept))

    def decode(
        self, network: Network, prepared: PreparedScene, rows: Sequence[RowBatch], bias: Tensor | None = None
    ) -> Decoded:
        """A pass of the decoder: rows of N objects on one scene to candidates, in float32."""
        with self.autocast(network.device):
            return self._decoder.run(network, prepared, rows, bias)

    def send(self, x: Tensor, device: torch.device) -> Tensor:
        """A tensor on the device, without waiting for it."""
        return send(x, device, self.pinned)

    def fetch(self, tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
        """Tensors as arrays of the host: where a round waits for the device, once."""
        return fetch(tensors, self.pinned)

    def _check(self, maps: Sequence[Tensor]) -> None:
        """What the plain encoder is held to by its backbone's hook, which compiled code has not."""
        if not bool(torch.stack([x.isfinite().all() for x in maps]).all()):
            way_out = (
                "leave runtime.compile out" if self._reduced is None else "take runtime.precision=float32"
            )
            raise SeemkitError(
                f"the image encoder gave numbers that are not finite in {self.section.precision}; {way_out}",
                path="runtime.precision",
            )
