"""Passes of the decoder: as they are, compiled, recorded, or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seemkit.network.decoder import Decoded
from seemkit.runtime.compiled import CompiledSteps, Step
from seemkit.runtime.forms import (
    Form,
    form_of,
    has_form,
    settle,
    shapes_of,
    tensors_of_rows,
    tensors_of_scene,
)
from seemkit.runtime.graphs import CudaRecorder, Graphs, Recorder

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from seemkit.network.network import Network
    from seemkit.network.prepared import PreparedScene
    from seemkit.network.rows import RowBatch

__all__ = ["DecoderSteps", "decoder_step"]

FORMS = 24
"""Forms of a pass that are compiled; those that come later run as they are."""


class DecoderSteps:
    """Runs the decoder on rows of N objects.

    Args:
        mode: of torch.compile; None compiles nothing.
        graphs: record passes as CUDA graphs.
        backend: of torch.compile.
        recorder: what records; by default torch.cuda.
    """

    def __init__(
        self,
        mode: str | None = None,
        *,
        graphs: bool = False,
        backend: str = "inductor",
        recorder: Recorder | None = None,
    ) -> None:
        self._compiled = (
            CompiledSteps("the decoder", mode, FORMS, whole=True, backend=backend)
            if mode is not None
            else None
        )
        self._wants_graphs = graphs
        self._graphs = Graphs(recorder) if recorder is not None else None

    def run(
        self, network: Network, scene: PreparedScene, rows: Sequence[RowBatch], bias: Tensor | None
    ) -> Decoded:
        """A pass; padded to one of few forms where it is compiled or recorded."""
        if (self._compiled is None and not self._wants_graphs) or not has_form(scene, rows):
            plain: Decoded = network.decoder(scene, rows, network.heads, bias=bias)
            return plain
        count = rows[0].at(0)[0].shape[0]
        settled, padded = settle(rows, bias)
        form = form_of(scene, settled, padded)
        held, given = tensors_of_scene(scene), tensors_of_rows(settled, padded)
        step = self._step(network, form, (form, shapes_of(held), shapes_of(given)))
        if self._wants_graphs:
            key = (form, _addresses(network))
            queries, embeddings = self._recorded(network.device).run(key, step, scene, held, given)
        else:
            queries, embeddings = step(*held, *given)
        return Decoded(queries[:count], embeddings[:count], bias=bias)

    def _step(self, network: Network, form: Form, key: object) -> Step:
        plain = decoder_step(network, form)
        compiled = self._compiled
        if compiled is None:
            return plain
        return lambda *tensors: compiled.run(key, lambda: plain, *tensors)

    def _recorded(self, device: torch.device) -> Graphs:
        if self._graphs is None:
            self._graphs = Graphs(CudaRecorder(device))
        return self._graphs


def decoder_step(network: Network, form: Form) -> Step:
    """The pass of a form as a function of its tensors: the scene's, then the rows'.

    It gives the states of the candidates and their mask embeddings, both (N, Q, C).
    """

    def step(*tensors: Tensor) -> tuple[Tensor, ...]:
        scene, rows, bias = form.rebuild(tensors)
        decoded = network.decoder(scene, rows, network.heads, bias=bias)
        return decoded.queries, decoded.mask_embeddings

    return step


def _addresses(network: Network) -> int:
    """Where the weights of a pass lie, which recordings read from."""
    parts = (*network.decoder.parameters(), *network.heads.parameters())
    return hash(tuple(x.data_ptr() for x in parts))
