"""The sentences that published SEEM models put names of a vocabulary into: the bare name, and 80 of CLIP's."""

from open_clip import OPENAI_IMAGENET_TEMPLATES

__all__ = ["TEMPLATES"]

TEMPLATES: tuple[str, ...] = ("{}.", *(template("{}") for template in OPENAI_IMAGENET_TEMPLATES))
"""81 sentences with one {} each (Radford et al., CLIP, 2021, prompts for ImageNet)."""
