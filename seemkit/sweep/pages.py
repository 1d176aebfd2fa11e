"""The pages on swept components as Markdown: how many of how many, each refusal with its sentence, and every model."""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from seemkit.sweep.report import SweepReport
from seemkit.sweep.trial import BackboneTrial, TextTrial, Trial

__all__ = ["backbones_page", "text_encoders_page"]

T = TypeVar("T", bound=Trial)
PREFIXES = ("tf", "legacy", "gc", "test", "ese", "dm", "cs", "eca")
"""Words before the name of a family."""

BACKBONES = """\
# Backbones of timm

The backbone `timm` takes any model of timm by name, in an assembly or over one:

```yaml
seemkit: 1
name: mine
backbone: {use: timm, model: convnext_atto}
pixel_decoder: {use: fpn}
mask_decoder: {use: seem, preset: seem_v1}
text_encoder: {use: static}
answer_policy: {use: fused}
preprocess: {short: 512, long: 1024}
```

```console
seemkit plan nano -s backbone.model=mobilenetv3_small_050
```

Two of the names are seemkit's own: `mobile_sam`, the image encoder of MobileSAM, and `mobile_sam_lite0`, the same with
the coarse maps of EfficientNet-Lite0 stacked on, which the bundled model uses.

A pixel decoder wants maps at strides 4, 8, 16 and 32. What a model does not give by itself is put around it, and
`seemkit plan` says so:

| the model | what is done |
|---|---|
| has maps at all four | the last at each stride is taken, with the model's own channels |
| has some of them | those that it lacks are made of the nearest, `pyramid_width` channels each |
| has one, as a plain ViT | four maps are made of it, by a simple feature pyramid (Li et al., ViTDet, 2022) |
| has patches of 14 or 7 pixels | its input is resized by 7/8, so that patches lie at stride 16 or 8 |
| does not pad at borders | its maps, a few cells short, are resized to the strides |
| takes multiples of its own size | photos are padded to those: `divisor` |
| takes one size only | photos are shrunk to fit and padded: `fixed_size`; `image_size` builds some for another |
| needs a least size | smaller photos are padded up to it, and the maps cut |

What is put around a model has no weights of its maker, whatever `pretrained` says: it has to be trained, as the
laterals of the pixel decoder have.
"""

TEXTS = """\
# Text encoders of open_clip

The text encoder `open_clip` takes the text tower of a model of open_clip by name, in an assembly or over one:

```console
seemkit plan nano -s text_encoder.use=open_clip -s text_encoder.model=ViT-B-32
```

Only the tower is built, never the image side. Its tokenizer is CLIP's, which open_clip carries; towers whose
tokenizer or architecture lies on the Hugging Face hub are refused.
"""

MADE = """\
## How this table was made

{said}

```console
python -m seemkit.sweep {word} --journal {file}.jsonl --docs docs
```

{versions}
"""
GOES_ON = """
A model that ends its process, hangs or takes too much memory is noted, and the sweep goes on. It goes on from its
journal, too, when it is ended:"""

BACKBONES_WHAT = """
Each model was put into the assembly `nano`. On the meta device, where tensors have shapes and no numbers, all were
built and run at two sizes under the pixel decoder `fpn`, and every map was held against the declared channels and
strides. Those of at most {largest} M parameters were then built with random weights and run on noise; all that they
gave was finite."""

TEXTS_WHAT = """
Each model was put into the assembly `nano`. On the meta device, where tensors have shapes and no numbers, all were
built and encoded three texts, and every phrase was held against the declared width. Those of at most {largest} M
parameters were then built with random weights and encoded them; all that they gave was finite."""


def backbones_page(report: SweepReport[BackboneTrial]) -> str:
    """The page on the backbones of timm."""
    trials = report.of("composes")
    adapted = [trial for trial in trials if trial.adapters]
    fixed = [trial for trial in trials if trial.fixed_size is not None]
    multiples = [trial for trial in trials if trial.fixed_size is None and trial.divisor != 32]
    counts = [
        ("have maps at all four strides", len(trials) - len(_with(trials, "pyramid"))),
        ("lack some, which are made of the others", len(_with(trials, "pyramid: ", "simple"))),
        ("have one, of which all are made", len(_with(trials, "simple pyramid"))),
        ("have their input resized", len(_with(trials, "resizing"))),
        ("take multiples of a size above 32 only", len(multiples)),
        ("take one size only", len(fixed)),
    ]
    parts = [
        BACKBONES,
        _summary(report, "models of timm"),
        "Of those that compose,\n\n| how many | |\n|---|---|\n"
        + "".join(f"| {count} | {what} |\n" for what, count in counts),
        _refusals(report),
        _made(report, BACKBONES_WHAT, "backbones", "backbones"),
        "## By family\n\nModels whose names begin alike.\n\n"
        "| family | models | compose | ran | M parameters | with something around them |\n"
        "|---|---|---|---|---|---|\n" + "".join(_family_rows(report.trials, {t.model for t in adapted})),
        "## Every model\n\n"
        "Parameters are those of the backbone with what is around it. Strides are 4, 8, 16 and 32 for all that\n"
        "compose; the input is any multiple of 32 unless said.\n\n"
        "| model | M parameters | channels | input | around it | ran |\n|---|---|---|---|---|---|\n"
        + "".join(_backbone_row(trial) for trial in report.trials),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def text_encoders_page(report: SweepReport[TextTrial]) -> str:
    """The page on the text encoders of open_clip."""
    parts = [
        TEXTS,
        _summary(report, "models of open_clip"),
        _refusals(report),
        _made(report, TEXTS_WHAT, "text-encoders", "text-encoders"),
        "## Every model\n\nThe width is that of the space that texts and class embeddings share.\n\n"
        "| model | M parameters | width | ran |\n|---|---|---|---|\n"
        + "".join(f"| `{t.model}` | {_millions(t)} | {t.width or ''} | {_ran(t)} |\n" for t in report.trials),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _summary(report: SweepReport[T], what: str) -> str:
    composed, failed = report.of("composes"), report.of("failed")
    ran = sum(trial.ran for trial in composed)
    unsaid = [trial for trial in composed if not trial.ran and not _too_large(trial, report)]
    said = (
        f"**{len(composed)} of {len(report.trials)} {what} compose**, {len(report.of('refused'))} are refused with a "
        f"sentence, {len(failed)} failed. {ran} ran with numbers: all that have at most {_largest(report)} M parameters"
    )
    if unsaid:
        said += f" but {len(unsaid)}"
    return f"## How many\n\n{_wrap(said + '.')}\n"


def _refusals(report: SweepReport[T]) -> str:
    """Everything that did not end well, by what was said; names in it are as they came."""
    parts = []
    for heading, trials, why in (
        ("Refused", report.of("refused"), lambda t: t.reason),
        ("Failed", report.of("failed"), lambda t: t.reason),
        (
            "Composed, but did not run",
            [t for t in report.of("composes") if not t.ran and not _too_large(t, report)],
            lambda t: t.not_ran,
        ),
    ):
        if trials:
            rows = "".join(f"| `{trial.model}` | {_cell(_reason(trial, why))} |\n" for trial in trials)
            parts.append(f"## {heading}\n\n| model | why |\n|---|---|\n{rows}")
    return "\n".join(parts)


def _reason(trial: T, why: Callable[[T], str | None]) -> str:
    return why(trial) or "ended before it said why"


def _made(report: SweepReport[T], what: str, word: str, file: str) -> str:
    skipped = ("component", "largest")
    versions = ", ".join(f"{name} {value}" for name, value in report.about.items() if name not in skipped)
    said = _wrap(f"{what.format(largest=_largest(report))} {GOES_ON}")
    made = _wrap(f"Made with {versions}. The same as data: [{file}.json]({file}.json).")
    return MADE.format(said=said, word=word, file=file, versions=made)


def _wrap(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def _family_rows(trials: Sequence[BackboneTrial], adapted: set[str]) -> Iterable[str]:
    families: dict[str, list[BackboneTrial]] = {}
    for trial in trials:
        families.setdefault(_family(trial.model), []).append(trial)
    for name, members in sorted(families.items()):
        sizes = sorted(t.parameters / 1e6 for t in members if t.parameters is not None)
        span = (
            ""
            if not sizes
            else f"{sizes[0]:.1f}"
            if len(sizes) == 1
            else f"{sizes[0]:.1f} to {sizes[-1]:.1f}"
        )
        composed = sum(t.state == "composes" for t in members)
        around = sum(t.model in adapted for t in members)
        yield f"| {name} | {len(members)} | {composed} | {sum(t.ran for t in members)} | {span} | {around} |\n"


def _family(model: str) -> str:
    """The letters that a name begins with; those that say where its weights came from are no family."""
    words = [
        word for word in model.split("_") if word not in ("tf", "legacy", "gc", "test", "ese", "seresnext")
    ]
    return re.sub(r"\d.*", "", words[0] if words else model) or model


def _backbone_row(trial: BackboneTrial) -> str:
    if trial.state != "composes":
        return f"| `{trial.model}` | {_millions(trial)} | | | {trial.state} | |\n"
    taken = "" if trial.divisor == 32 else f"multiples of {trial.divisor}"
    if trial.fixed_size is not None:
        taken = f"{trial.fixed_size[0]} x {trial.fixed_size[1]} only"
    around = ", ".join(adapter.partition(":")[0] for adapter in trial.adapters)
    channels = ", ".join(map(str, trial.channels))
    return f"| `{trial.model}` | {_millions(trial)} | {channels} | {taken} | {around} | {_ran(trial)} |\n"


def _with(trials: Sequence[BackboneTrial], word: str, unlike: str = "\n") -> list[BackboneTrial]:
    """Trials with an adapter that has a word in its sentence's beginning."""
    return [
        trial
        for trial in trials
        if any(word in f"{a.partition(':')[0]}: " and not a.startswith(unlike) for a in trial.adapters)
    ]


def _millions(trial: Trial) -> str:
    return "" if trial.parameters is None else f"{trial.parameters / 1e6:.1f}"


def _ran(trial: Trial) -> str:
    return "yes" if trial.ran else ""


def _largest(report: SweepReport[T]) -> str:
    largest = report.about["largest"]
    assert isinstance(largest, int)
    return f"{largest / 1e6:.0f}"


def _too_large(trial: Trial, report: SweepReport[T]) -> bool:
    largest = report.about["largest"]
    assert isinstance(largest, int)
    return (trial.parameters or 0) > largest


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
