"""Checks of what every component that builds a module shares: it copies, saves, and repeats itself."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

from seemkit.testing.contract import check
from seemkit.testing.module_checks import flat, reload_weights, same_tensors
from seemkit.testing.option_checks import OptionChecks
from seemkit.testing.violation import demand

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ComponentChecks"]


class ComponentChecks(OptionChecks):
    """A component declares what comes out, and builds a module."""

    def build(self, seed: int = 0) -> nn.Module:
        """A module of one's own in evaluation mode, by the same seed every time."""
        import torch

        component: Any = self.component()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module: nn.Module = component.build(self.settings())
        return module.eval()

    def outputs(self, module: nn.Module) -> object:
        """What the module gives for the suite's input."""
        raise NotImplementedError

    @check(
        "Two builds by the same seed have the same weights, and any two have the same names and shapes",
        why="A training run has to be repeatable, and a weights file has to fit tomorrow.",
        mend="draw random numbers from torch's generator only, and name modules by what they are",
    )
    def test_two_builds_agree(self) -> None:
        first, again, other = self.build(), self.build(), self.build(seed=1)
        same_tensors(first.state_dict(), again.state_dict(), "built {0} differently by the same seed")
        shapes = [{n: tuple(x.shape) for n, x in m.state_dict().items()} for m in (first, other)]
        demand(shapes[0] == shapes[1], "built other names or shapes by another seed")

    @check(
        "Whatever differs between two builds is in the state dict",
        why="What is not there is lost when weights are saved, and the model answers otherwise when loaded.",
        mend="register what is learned or drawn as a parameter or a persistent buffer; leave constants out",
    )
    def test_the_state_dict_is_whole(self) -> None:
        first, other = self.build(), self.build(seed=1)
        kept = set(first.state_dict())
        demand(not [n for n in kept if n.endswith("_extra_state")], "keeps an extra state that is no tensor")
        theirs = dict(other.named_buffers())
        lost = [n for n, x in first.named_buffers() if n not in kept and not x.equal(theirs[n])]
        demand(not lost, f"does not keep {', '.join(lost)}, which differs between builds")

    @check(
        "Weights come back from a safetensors file into a module that was built anew, with the same results",
        why="That is how models travel.",
        mend="give every tensor of the state dict memory of its own, and learn nothing outside of it",
    )
    def test_weights_come_back_from_a_file(self) -> None:
        module = self.build()
        again = reload_weights(module, self.build(seed=1))
        self._demand_equal(module, again, "gave other results with the weights of a file")

    @check(
        "A deep copy gives the same results and has weights of its own",
        why="Averages of weights and teachers are made by copying.",
        mend="keep references to modules and tensors in attributes only, not in closures or globals",
    )
    def test_a_deep_copy_is_independent(self) -> None:
        import torch

        module = self.build()
        copied = copy.deepcopy(module)
        self._demand_equal(module, copied, "gave other results when copied")
        before = {name: x.clone() for name, x in module.state_dict().items()}
        with torch.no_grad():
            for x in copied.state_dict().values():
                x.zero_()
        same_tensors(before, module.state_dict(), "shares {0} with its copy")

    @check(
        "A pickled module comes back with the same results",
        why="Training on several processes sends modules by pickle.",
        mend="use no lambdas, local classes or open files as attributes of modules",
    )
    def test_it_can_be_pickled(self) -> None:
        module = self.build()
        again = pickle.loads(pickle.dumps(module))  # noqa: S301 - of our own making
        self._demand_equal(module, again, "gave other results when it came back from pickle")

    @check(
        "The same input gives the same bits in evaluation mode, whatever came between",
        why="Scenes and phrases are cached, and logs are replayed.",
        mend="switch dropout off in evaluation, and keep nothing from call to call",
    )
    def test_it_is_deterministic(self) -> None:
        module = self.build()
        first = self.outputs(module)
        self.between(module)
        again = flat(self.outputs(module))
        same = all(x.equal(y) for x, y in zip(flat(first), again, strict=True))
        demand(same, "gave other bits for the same input after another one")

    @check(
        "A call in evaluation mode changes no parameter or buffer",
        why="Threads share the module, and its weights are part of the fingerprint of every scene.",
        mend="update statistics in training only",
    )
    def test_a_call_changes_no_weights(self) -> None:
        module = self.build()
        before = {name: x.clone() for name, x in (*module.named_parameters(), *module.named_buffers())}
        self.outputs(module)
        after = dict((*module.named_parameters(), *module.named_buffers()))
        same_tensors(before, after, "changed {0}")

    @check(
        "Switching to training and back changes no result",
        why="Every validation during training does that.",
        mend="do nothing in train() but set the mode, of every submodule",
    )
    def test_training_mode_and_back_changes_nothing(self) -> None:
        module = self.build()
        before = self.outputs(module)
        module.train()
        demand(module.training, "was not in training mode after train()")
        module.eval()
        left = [name for name, part in module.named_modules() if part.training]
        demand(not left, f"left {', '.join(left[:3])} in training mode after eval()")
        pairs = zip(flat(before), flat(self.outputs(module)), strict=True)
        demand(all(x.equal(y) for x, y in pairs), "gave other results after train() and eval()")

    @check(
        "A declaration builds nothing: declare(options) allocates next to no memory",
        why="Configurations are checked by it before any weight exists, and 'seemkit plan' runs it for many.",
        mend="compute the declaration from the options, or build on torch's meta device",
    )
    def test_declaring_builds_nothing(self) -> None:
        from seemkit.testing.allocation import allocated

        component: Any = self.component()
        settings = self.settings()
        size = _bytes_of(self.build())
        used = allocated(lambda: component.declare(settings))
        demand(used <= max(65_536, size // 20), f"allocated {used} bytes, where its weights are {size}")

    def between(self, module: nn.Module) -> None:
        """Another call of the module."""
        self.outputs(module)

    def _demand_equal(self, module: nn.Module, other: nn.Module, sentence: str) -> None:
        pairs = zip(flat(self.outputs(module)), flat(self.outputs(other)), strict=True)
        demand(all(x.equal(y) for x, y in pairs), sentence)


def _bytes_of(module: nn.Module) -> int:
    return sum(x.numel() * x.element_size() for x in (*module.parameters(), *module.buffers()))
