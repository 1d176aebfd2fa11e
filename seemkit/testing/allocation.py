"""How many bytes an operation of torch allocates on real devices, that is, anywhere but on meta."""

from collections.abc import Callable
from typing import Any

__all__ = ["allocated"]


def allocated(work: Callable[[], object]) -> int:
    """Bytes of all storages that `work` makes on a real device, views not counted twice."""
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    sizes: dict[int, int] = {}
    kept: list[object] = []  # so that no storage is freed and its address used again

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """Looks at the result of every operation."""

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            made = function(*args, **(kwargs or {}))
            for leaf in tree_leaves(made):
                if isinstance(leaf, Tensor) and leaf.device.type != "meta":
                    storage = leaf.untyped_storage()
                    sizes[storage.data_ptr()] = storage.nbytes()
                    kept.append(storage)
            return made

    with Watch():  # type: ignore[no-untyped-call]
        work()
    return sum(sizes.values())
