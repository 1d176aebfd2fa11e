"""Any text tower of open_clip with the CLIP tokenizer, random or pretrained."""

import difflib
import math
from collections.abc import Sequence

import open_clip
import torch
from open_clip.model import _build_text_tower
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from seemkit.api import Phrase
from seemkit_text.phrases import encode_phrases

__all__ = ["OpenClip"]


class OpenClip:
    """A text tower of open_clip by its model name; random weights unless a pretrained tag is given."""

    class Options(BaseModel):
        """A model name and one of its tags, as `open_clip.list_pretrained()` has them."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        model: str = Field(description="open_clip's name of the model, such as ViT-B-32")
        pretrained: str | None = Field(
            None, description="tag of its weights, such as openai; none: random weights"
        )

        @model_validator(mode="after")
        def check_names(self) -> "OpenClip.Options":
            """Refuse what open_clip does not know and towers that do not read CLIP tokens."""
            expect(self.model, "text tower of open_clip", open_clip.list_models())
            fault = find_fault(open_clip.get_model_config(self.model)["text_cfg"])
            if fault:
                raise ValueError(f"the text tower of {self.model} {fault}; take one like ViT-B-32")
            if self.pretrained is not None:
                tags = open_clip.list_pretrained_tags_by_model(self.model)
                expect(self.pretrained, f"pretrained tag of {self.model}", tags)
            return self

    @staticmethod
    def declare(options: Options) -> int:
        """D, the width of the joint space; builds nothing."""
        return int(open_clip.get_model_config(options.model)["embed_dim"])

    @staticmethod
    def build(options: Options) -> nn.Module:
        """Return the encoder; pretrained weights are fetched by open_clip if it does not have them yet."""
        encoder = OpenClipEncoder(options.model)
        if options.pretrained is not None:
            encoder.load_tower(open_clip.create_model(options.model, pretrained=options.pretrained))
        return encoder


class OpenClipEncoder(nn.Module):
    """Texts to token states and embeddings in the joint space of the named model."""

    def __init__(self, model: str) -> None:
        super().__init__()
        config = open_clip.get_model_config(model)
        self.dim = int(config["embed_dim"])
        self.tower = _build_text_tower(self.dim, config["text_cfg"], config.get("quick_gelu", False))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.tokenize = open_clip.get_tokenizer(model)

    def encode(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text, un-normalised, start and end of text included."""
        return encode_phrases(texts, self.tokenize, self, cut=self.tower.attn_mask is not None)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (B, T) to states in the joint space (B, T, D)."""
        tower, length = self.tower, ids.shape[1]
        x = tower.token_embedding(ids.to(self.logit_scale.device)) + tower.positional_embedding[:length]
        mask = tower.attn_mask  # of the full length; the tower's own forward cannot take less
        x = tower.transformer(x, attn_mask=None if mask is None else mask[:length, :length])
        states = tower.ln_final(x)  # B x T x C
        project = tower.text_projection
        out: Tensor
        if project is None:
            out = states
        elif isinstance(project, nn.Linear):
            out = project(states)
        else:
            out = states @ project
        return out

    def load_tower(self, model: nn.Module) -> None:
        """Take the text tower and temperature of a whole open_clip model."""
        weights = model.state_dict()
        prefix = "text." if "text.positional_embedding" in weights else ""
        self.tower.load_state_dict({name: weights[prefix + name] for name in self.tower.state_dict()})
        self.logit_scale.data.copy_(weights["logit_scale"])


def find_fault(config: dict[str, object]) -> str | None:
    """Say why a tower, by its open_clip configuration, cannot give token states at CLIP tokens."""
    if config.get("hf_model_name") or config.get("hf_tokenizer_name"):
        return "takes its tokenizer from the Hugging Face hub, not CLIP's"
    if config.get("embed_cls") or config.get("pool_type", "argmax") not in ("argmax", "eos"):
        return "has no embedding at the end-of-text token"
    return None


def expect(given: str, what: str, known: Sequence[str]) -> None:
    """Raise one sentence with the nearest right name unless `given` is known."""
    if given in known:
        return
    near = difflib.get_close_matches(given, known, n=1)
    raise ValueError(f"{given!r} is no {what}" + (f"; did you mean {near[0]!r}?" if near else ""))
