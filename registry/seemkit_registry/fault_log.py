"""Shows every fault once, as one line on the log, or raises it in strict mode."""

import logging
import os

from seemkit_registry.fault import Fault

__all__ = ["FaultLog"]


class FaultLog:
    """Where a registry reports the faults of plugins.

    Args:
        strict: raise faults instead of logging them; None means as ``SEEMKIT_STRICT`` says ("1" is strict).
    """

    def __init__(self, strict: bool | None = None) -> None:
        self._strict = strict
        self._shown: set[Fault] = set()

    @property
    def strict(self) -> bool:
        """Whether faults are raised."""
        return os.environ.get("SEEMKIT_STRICT", "") == "1" if self._strict is None else self._strict

    def report(self, fault: Fault) -> None:
        """Log `fault` as a warning of the logger ``seemkit``, once; raise it if strict.

        Raises:
            PluginQuarantined: in strict mode, with the traceback of the plugin's code as a note.
        """
        if self.strict:
            error = fault.error()
            if fault.trace:
                error.add_note(fault.trace)
            raise error
        if fault not in self._shown:
            self._shown.add(fault)
            logging.getLogger("seemkit").warning("%s", fault.one_line)
