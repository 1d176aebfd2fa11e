"""Pages say how many of how many, and every refusal with its sentence."""

from seemkit.sweep.pages import backbones_page, text_encoders_page
from seemkit.sweep.report import SweepReport
from seemkit.sweep.trial import BackboneTrial, TextTrial, Trial

ABOUT = {"component": "seemkit/timm", "timm": "1.0", "largest": 50_000_000}
PYRAMID = "pyramid: the model's maps are at strides 16 and 32, so those at 4 and 8 are made of the nearest"
SIMPLE = "simple pyramid: the model gives one map, at stride 16 (64 channels)"
RESIZED = "resizing: the model takes 240 x 240 pixels only, so its input is resized to that"


def backbone(model: str, parameters: int = 20_000_000, ran: bool = True, **given: object) -> BackboneTrial:
    values = {"divisor": 32, "channels": (8, 16, 32, 64), "strides": (4, 8, 16, 32), **given}
    return BackboneTrial.model_validate(
        {"model": model, "state": "composes", "parameters": parameters, "ran": ran, **values}
    )


BACKBONES = SweepReport[BackboneTrial](
    about=ABOUT,
    trials=[
        backbone("resnet18"),
        backbone("resnet50", 25_600_000),
        backbone("levit_128", adapters=(PYRAMID,), fixed_size=(224, 224)),
        backbone("crossvit_9", adapters=(RESIZED, SIMPLE), fixed_size=(224, 224)),
        backbone("vit_giant", 900_000_000, ran=False, not_ran="has 900 M parameters", adapters=(SIMPLE,)),
        backbone("maxvit_s", divisor=224, ran=False, not_ran="takes more than 6 GiB"),
        BackboneTrial(model="odd", state="refused", reason="it gives no maps | none"),
        BackboneTrial(model="bad", state="failed", reason="ends its process by SIGSEGV"),
    ],
)


def test_the_page_counts_what_it_lists() -> None:
    page = backbones_page(BACKBONES)
    said = " ".join(page.split())
    assert "**6 of 8 models of timm compose**, 1 are refused with a sentence, 1 failed. 4 ran" in said
    assert "4 ran with numbers: all that have at most 50 M parameters but 1." in said
    for row in (
        "| 3 | have maps at all four strides |",
        "| 1 | lack some, which are made of the others |",
        "| 2 | have one, of which all are made |",
        "| 1 | have their input resized |",
        "| 1 | take multiples of a size above 32 only |",
        "| 2 | take one size only |",
    ):
        assert row in page
    assert "| resnet | 2 | 2 | 2 | 20.0 to 25.6 | 0 |" in page


def test_the_page_gives_the_reason_of_all_that_did_not_run() -> None:
    page = backbones_page(BACKBONES)
    assert "## Refused\n\n| model | why |\n|---|---|\n| `odd` | it gives no maps \\| none |" in page
    assert "## Failed\n\n| model | why |\n|---|---|\n| `bad` | ends its process by SIGSEGV |" in page
    assert (
        "## Composed, but did not run\n\n| model | why |\n|---|---|\n| `maxvit_s` | takes more than 6 GiB |"
        in page
    )
    assert "vit_giant` | has" not in page  # it is too large, which is said once


def test_every_model_has_its_row() -> None:
    rows = backbones_page(BACKBONES).partition("## Every model")[2].splitlines()
    assert "| `resnet18` | 20.0 | 8, 16, 32, 64 |  |  | yes |" in rows
    assert "| `crossvit_9` | 20.0 | 8, 16, 32, 64 | 224 x 224 only | resizing, simple pyramid | yes |" in rows
    assert "| `maxvit_s` | 20.0 | 8, 16, 32, 64 | multiples of 224 |  |  |" in rows
    assert "| `odd` |  | | | refused | |" in rows


def test_the_page_on_text_encoders_has_width_and_reason() -> None:
    trials = [
        TextTrial(model="ViT-B-32", state="composes", parameters=63_400_000, width=512, ran=True),
        TextTrial(model="SigLIP", state="refused", reason="takes the tokenizer of the Hugging Face hub"),
    ]
    page = text_encoders_page(SweepReport[TextTrial](about={**ABOUT, "largest": 150_000_000}, trials=trials))
    assert "**1 of 2 models of open_clip compose**" in page
    assert "| `ViT-B-32` | 63.4 | 512 | yes |" in page
    assert "| `SigLIP` | takes the tokenizer of the Hugging Face hub |" in page


def test_a_report_comes_back_from_json_and_has_a_line_for_each_model() -> None:
    text = BACKBONES.to_json()
    assert SweepReport[BackboneTrial].model_validate_json(text) == BACKBONES
    assert len(text.splitlines()) == len(BACKBONES.trials) + 2
    assert (
        SweepReport[Trial](about={}, trials=[]).to_json().startswith('{"format": 1, "about": {}, "trials": [')
    )
