"""The one module that a plugin imports: prompts, regions, rows, anchors, samples and the contracts of components.

Importing it loads neither torch, nor an image library, nor a plugin.
"""

from typing import TYPE_CHECKING

from seemkit.choice.relative_path import check_relative
from seemkit.components import (
    AnswerPolicy,
    BackboneComponent,
    BackboneShape,
    Evidence,
    Exporter,
    ExporterComponent,
    PixelFeatures,
    TextEncoder,
    TextEncoderComponent,
)
from seemkit.concept_file import ConceptFile, ConceptRegion, TokenRows
from seemkit.data.dataset import DataFault, Dataset, DatasetInfo, IndexedDataset
from seemkit.data.file_slice import FileSlice, tar_members
from seemkit.data.mask_source import IdMask, MaskSource, PolygonMask, RunLengthMask
from seemkit.data.open import open_dataset
from seemkit.data.sample import Category, Sample, SampleObject
from seemkit.errors import PromptError, SeemkitError
from seemkit.geometry.bounds import check_inside, check_overlap, check_same_size
from seemkit.geometry.grid import Grid
from seemkit.geometry.outline import check_outline
from seemkit.geometry.raster import draw_box, draw_clicks, draw_polygon, draw_stroke, resize_mask, sample_line
from seemkit.geometry.region import Region, RegionKind
from seemkit.geometry.simulate import (
    simulate_box,
    simulate_click,
    simulate_mask,
    simulate_outline,
    simulate_stroke,
)
from seemkit.prompting.arrays import Asset, BinaryMask
from seemkit.prompting.concepts import ConceptSource, open_concept
from seemkit.prompting.context import Dims, EncodeContext
from seemkit.prompting.flags import floats, points_of, split_flag
from seemkit.prompting.mask_file import read_mask_file
from seemkit.prompting.pictures import Picture, open_picture
from seemkit.prompting.points import Points
from seemkit.prompting.prompt import Draw, Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.read import prompt_type, prompt_types, read_prompt
from seemkit.prompting.rows import Anchor, Encoded, Group, Phrase, Role
from seemkit.prompting.sounds import Sound, open_sound
from seemkit.results.atomic import replacing
from seemkit.scene import Scene
from seemkit_registry import hookimpl

if TYPE_CHECKING:
    from seemkit.imaging.labels import read_labels
    from seemkit.result import Result

__all__ = [
    "VERSION",
    "Anchor",
    "AnswerPolicy",
    "Asset",
    "BackboneComponent",
    "BackboneShape",
    "BinaryMask",
    "Category",
    "ConceptFile",
    "ConceptRegion",
    "ConceptSource",
    "DataFault",
    "Dataset",
    "DatasetInfo",
    "Dims",
    "Draw",
    "EncodeContext",
    "Encoded",
    "Evidence",
    "Exporter",
    "ExporterComponent",
    "FileSlice",
    "Grid",
    "Group",
    "IdMask",
    "IndexedDataset",
    "MaskSource",
    "Phrase",
    "Picture",
    "PixelFeatures",
    "Points",
    "PolygonMask",
    "Prompt",
    "PromptError",
    "Region",
    "RegionKind",
    "Result",
    "Role",
    "RunLengthMask",
    "Sample",
    "SampleObject",
    "Scene",
    "SeemkitError",
    "Sound",
    "SpatialPrompt",
    "TextEncoder",
    "TextEncoderComponent",
    "TokenPrompt",
    "TokenRows",
    "check_inside",
    "check_outline",
    "check_overlap",
    "check_relative",
    "check_same_size",
    "draw_box",
    "draw_clicks",
    "draw_polygon",
    "draw_stroke",
    "floats",
    "hookimpl",
    "open_concept",
    "open_dataset",
    "open_picture",
    "open_sound",
    "points_of",
    "prompt_type",
    "prompt_types",
    "read_labels",
    "read_mask_file",
    "read_prompt",
    "replacing",
    "resize_mask",
    "sample_line",
    "simulate_box",
    "simulate_click",
    "simulate_mask",
    "simulate_outline",
    "simulate_stroke",
    "split_flag",
    "tar_members",
]

VERSION = "1.1.0"
"""Semantic version of this module; what it promises is deprecated for two minor releases before it goes."""


def __getattr__(name: str) -> object:
    if name == "Result":
        from seemkit.result import Result

        return Result
    if name == "read_labels":
        from seemkit.imaging.labels import read_labels

        return read_labels
    raise AttributeError(f"module 'seemkit.api' has no attribute {name!r}")
