"""Assemblies: configurations that name one installed component per slot, validated as a whole."""

from seemkit.assembly.assembly import Assembly
from seemkit.assembly.load import assembly_names, load_assembly
from seemkit.assembly.runtime_section import RuntimeSection
from seemkit.assembly.sections import PreprocessSection, ThresholdsSection, WeightsSection
from seemkit.choice import Slot

__all__ = [
    "Assembly",
    "PreprocessSection",
    "RuntimeSection",
    "Slot",
    "ThresholdsSection",
    "WeightsSection",
    "assembly_names",
    "load_assembly",
]
