"""Checks of the learned part of a token prompt: gradients, weights, torch.compile and torch.export."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from seemkit.prompting.context import Dims
from seemkit.prompting.prompt import TokenPrompt
from seemkit.testing.bench import model_for, scene_for
from seemkit.testing.contract import check
from seemkit.testing.module_checks import compiled_equals, exported_equals, reload_weights, same_tensors
from seemkit.testing.prompt_case import PromptCase
from seemkit.testing.prompt_rows import tensors_of
from seemkit.testing.violation import demand, fail, skip

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seemkit.prompting.rows import Encoded

__all__ = ["PromptPartChecks"]

WIDTHS = (Dims(96, 128), Dims(32, 48))


class PromptPartChecks(PromptCase):
    """What build(dims) gives is trained, saved and exported with the model."""

    @check(
        "The learned part fits whatever widths it is built for",
        why="Every model has widths of its own.",
        mend="take every width from dims in build()",
    )
    def test_the_learned_part_fits_any_widths(self) -> None:
        from torch import nn

        for dims in WIDTHS:
            module = self._build(dims)
            demand(isinstance(module, nn.Module), f"built a {type(module).__name__}")
            demand(list(module.parameters()), "built a module without parameters, which is no learned part")
        names = [{name: tuple(x.shape) for name, x in self._build(d).state_dict().items()} for d in WIDTHS]
        demand(list(names[0]) == list(names[1]), "built parameters with other names for other widths")
        same = [name for name, shape in names[0].items() if 96 in shape and names[1][name] == shape]
        demand(not same, f"built {', '.join(same)} of one shape for widths 96 and 32")

    @check(
        "Gradients of rows and anchors reach every parameter of the learned part",
        why="A parameter that no gradient reaches is never trained.",
        mend="let every parameter take part in the rows, without detach(), no_grad() or .data",
    )
    def test_gradients_reach_every_parameter(self) -> None:
        module = self._module(trainable=True)
        sum(x.square().sum() for x in tensors_of(self._encode(module))).backward()  # type: ignore[union-attr]
        lacking = [n for n, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        demand(not lacking, f"let no finite gradient reach {', '.join(lacking)}")

    @check(
        "The weights of the learned part come back from safetensors, into a part that was built anew",
        why="They travel in the model's weights file.",
        mend="keep what is learned in parameters and persistent buffers, each tensor of its own",
    )
    def test_weights_come_back_from_a_file(self) -> None:
        module = self._module()
        again = reload_weights(module, self._build(Dims(96, 128)))
        for before, after in zip(self._tensors(module), self._tensors(again), strict=True):
            demand(before.equal(after), "gave other rows with the weights of a file")

    @check(
        "Under torch.compile the learned part is one graph, with equal results",
        why="Training and serving compile the whole model.",
        mend="avoid branches on tensor values, .item(), printing and Python state in forward()",
    )
    def test_the_learned_part_compiles(self) -> None:
        module = self._module()
        for args, keywords in self._calls(module):
            compiled_equals(module, args, keywords)

    @check(
        "Under torch.export the learned part goes through whole, with equal results",
        why="Exported models leave Python.",
        mend="avoid branches on tensor values, .item(), printing and Python state in forward()",
    )
    def test_the_learned_part_exports(self) -> None:
        module = self._module()
        for args, keywords in self._calls(module):
            exported_equals(module, args, keywords)

    @check(
        "Encoding changes no buffer or parameter of the learned part",
        why="Threads share the weights, and the same request has to give the same bits.",
        mend="write to buffers in training only",
    )
    def test_encoding_leaves_the_learned_part_alone(self) -> None:
        module = self._module()
        before = {name: x.clone() for name, x in module.state_dict().items()}
        self._encode(module)
        same_tensors(before, module.state_dict(), "changed {0} when it was encoded")

    def _build(self, dims: Dims) -> nn.Module:
        kind = self.prompt
        module = kind.build(dims) if issubclass(kind, TokenPrompt) else None
        if module is None:
            skip("it has no learned part")
        return module

    def _module(self, *, trainable: bool = False) -> nn.Module:
        """A learned part of one's own for the bench, by the same seed every time."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self._build(Dims(96, 128)).eval().requires_grad_(trainable)

    def _encode(self, module: nn.Module) -> Encoded:
        from dataclasses import replace

        prompt = self.token()
        context = model_for(self.prompt)._context(scene_for(self.prompt))
        return prompt.encode(replace(context, module=module))

    def _tensors(self, module: nn.Module) -> list[Tensor]:
        return tensors_of(self._encode(module.eval()))

    def _calls(self, module: nn.Module) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """What encode() calls the learned part with; leaves the check out if it does not call it."""
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def record(_: nn.Module, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
            calls.append(copy.deepcopy((args, keywords)))

        handle = module.register_forward_pre_hook(record, with_kwargs=True)
        try:
            self._encode(module)
        except Exception as error:  # of the plugin
            fail(f"could not be encoded with a part that was built anew: {type(error).__name__}: {error}")
        finally:
            handle.remove()
        if not calls:
            skip("its encode() does not call the learned part as a whole")
        return calls
