"""Any text tower of open_clip with the CLIP tokenizer, random or pretrained."""

import difflib
import math
from collections.abc import Sequence

import open_clip
import torch
from open_clip.model import _build_text_tower
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from torch import Tensor, nn

from seemkit.api import Phrase, SeemkitError
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

        @field_validator("model")
        @classmethod
        def check_model(cls, model: str) -> str:
            """Refuse what open_clip does not know and towers that do not read CLIP tokens."""
            expect(model, "text tower of open_clip", OpenClip.models())
            fault = find_fault(open_clip.get_model_config(model)["text_cfg"])
            if fault:
                raise SeemkitError(f"the text tower of {model!r} {fault}; take one like ViT-B-32")
            return model

        @field_validator("pretrained")
        @classmethod
        def check_pretrained(cls, tag: str | None, info: ValidationInfo) -> str | None:
            """Refuse a tag that open_clip does not have for the model."""
            if tag is not None and "model" in info.data:
                model = info.data["model"]
                expect(tag, f"pretrained tag of {model}", open_clip.list_pretrained_tags_by_model(model))
            return tag

    @staticmethod
    def models() -> list[str]:
        """Every model of open_clip; the option `model` refuses those without a tower that can be had here."""
        names: list[str] = open_clip.list_models()
        return names

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
        self.has_class_token = self.tower.cls_emb is not None

    def encode(self, texts: Sequence[str]) -> list[Phrase]:
        """Tokens (T, D) and embedding (D,) of each text, un-normalised, start and end of text included.

        The embedding is the last token; for a tower with a class token, which is no token of a text, that.
        """
        cut = self.tower.attn_mask is not None and not self.has_class_token
        return encode_phrases(texts, self.tokenize, self, cut=cut, summary=self.has_class_token)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (B, T) to states in the joint space (B, T, D), or (B, T + 1, D) with the class token last."""
        tower, length = self.tower, ids.shape[1]
        ids = ids.to(self.logit_scale.device)
        if self.has_class_token:
            x, mask = tower._embeds(ids)  # padding is masked
        else:
            x = tower.token_embedding(ids) + tower.positional_embedding[:length]
            whole = tower.attn_mask  # of the full length; the tower's own forward cannot take less
            mask = None if whole is None else whole[:length, :length]
        states = tower.ln_final(tower.transformer(x, attn_mask=mask))  # B x T x C
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
    if config.get("hf_model_name"):
        return f"is {config['hf_model_name']} of the Hugging Face hub, not open_clip's"
    if config.get("hf_tokenizer_name"):
        return f"takes the tokenizer {config['hf_tokenizer_name']} of the Hugging Face hub, not CLIP's"
    if not config.get("embed_cls") and config.get("pool_type", "argmax") not in ("argmax", "eos"):
        return "has no embedding at the end-of-text token, and no class token"
    return None


def expect(given: str, what: str, known: Sequence[str]) -> None:
    """Raise one sentence with the nearest right name unless `given` is known."""
    if given in known:
        return
    near = difflib.get_close_matches(given, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise SeemkitError(f"{given!r} is no {what}{hint}", suggestion=near[0] if near else None)
