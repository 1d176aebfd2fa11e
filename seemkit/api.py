"""The one module that a plugin imports: prompts, regions, rows, anchors and the contracts of components.

Importing it loads neither torch nor a plugin.
"""

from seemkit.components import (
    AnswerPolicy,
    BackboneComponent,
    BackboneShape,
    Evidence,
    PixelFeatures,
    TextEncoder,
    TextEncoderComponent,
)
from seemkit.errors import PromptError, SeemkitError
from seemkit.geometry.grid import Grid
from seemkit.geometry.raster import draw_box, draw_clicks, draw_polygon, draw_stroke, resize_mask, sample_line
from seemkit.geometry.region import Region, RegionKind
from seemkit.prompting.arrays import Asset, BinaryMask
from seemkit.prompting.context import Dims, EncodeContext
from seemkit.prompting.flags import floats, split_flag
from seemkit.prompting.prompt import Prompt, SpatialPrompt, TokenPrompt
from seemkit.prompting.rows import Anchor, Encoded, Group, Phrase, Role

__all__ = [
    "VERSION",
    "Anchor",
    "AnswerPolicy",
    "Asset",
    "BackboneComponent",
    "BackboneShape",
    "BinaryMask",
    "Dims",
    "EncodeContext",
    "Encoded",
    "Evidence",
    "Grid",
    "Group",
    "Phrase",
    "PixelFeatures",
    "Prompt",
    "PromptError",
    "Region",
    "RegionKind",
    "Role",
    "SeemkitError",
    "SpatialPrompt",
    "TextEncoder",
    "TextEncoderComponent",
    "TokenPrompt",
    "draw_box",
    "draw_clicks",
    "draw_polygon",
    "draw_stroke",
    "floats",
    "resize_mask",
    "sample_line",
    "split_flag",
]

VERSION = "1.0.0"
"""Semantic version of this module; what it promises is deprecated for two minor releases before it goes."""
