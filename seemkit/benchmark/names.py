"""A vocabulary: cold against what the published code does with it, and warm."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from seemkit.benchmark.report import Case, Figure
from seemkit.benchmark.subject import Path, Subject
from seemkit.benchmark.work import watch_work
from seemkit.pipeline.vocabulary import Vocabularies, embed_vocabulary, sentences_of
from seemkit.vocabulary import SLOT

__all__ = ["NAMES", "measure_vocabulary"]

SHARE = 1 / 8
"""A cold vocabulary is to take at most so much of sentence-by-class batches of padded texts."""
SAMPLE = 6
"""Names that the published way is timed on; the rest would take as long each."""
_WORDS = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe,
backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite,
baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork,
knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake,
chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard,
cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush, banner, blanket, bridge, cardboard, counter, curtain, door, floor wood,
flower, fruit, gravel, house, light, mirror, net, pillow, platform, playingfield, railroad, river,
road, roof, sand, sea, shelf, snow, stairs, tent, towel, wall brick, wall stone, wall tile,
wall wood, water, window blind, window, tree, fence, ceiling, sky, cabinet, table, floor, pavement,
mountain, grass, dirt, paper, food, building, rock, wall, rug
"""
NAMES = tuple(name.strip() for name in _WORDS.split(","))
"""The 133 classes of COCO panoptic, without what the data set appends to names of stuff."""


def measure_vocabulary(subject: Subject) -> Iterator[Case]:
    """133 names in the sentences of the text encoder, cold and warm."""
    network = subject.network
    sentences = sentences_of(network, None)
    sample = NAMES[:: len(NAMES) // SAMPLE][:SAMPLE]
    paths = {
        "seemkit": Path(lambda: embed_vocabulary(network, NAMES), f"{len(NAMES)} names at once"),
    }
    transformer = getattr(network.text_encoder, "transformer", None)
    if isinstance(transformer, nn.Module):
        paths["reference"] = Path(
            lambda: [_as_published(network.text_encoder, name, sentences) for name in sample],
            f"{SAMPLE} of the names, a batch of padded texts each",
        )
    case = subject.case(
        "vocabulary",
        "cold",
        f"{len(NAMES)} names in {len(sentences)} sentences each, of which nothing is known.",
        paths,
        repeats=1,
        warmup=0,
        count=False,
    )
    figures = [
        Figure(name="names", value=len(NAMES)),
        Figure(name="sentences", value=len(NAMES) * len(sentences)),
    ]
    if "reference" in paths:
        with torch.no_grad():
            ours = embed_vocabulary(network, sample)
            theirs = torch.stack([_as_published(network.text_encoder, name, sentences) for name in sample])
        gap = float((ours - theirs).abs().max())
        figures.append(Figure(name="largest difference of the embeddings, whose length is 1", value=gap))
        ratio = case.compare("seemkit", "reference")
        value = ratio.value * SAMPLE / len(NAMES)
        case = case.model_copy(
            update={
                "figures": figures,
                "ratios": [ratio.model_copy(update={"value": value, "target": SHARE})],
                "notes": [
                    f"The ratio is that for {len(NAMES)} names, which take the reference as long each."
                ],
            }
        )
    yield case
    yield _warm(subject)


def _as_published(encoder: nn.Module, name: str, sentences: Sequence[str]) -> Tensor:
    """One name (D,): its sentences in one batch, each padded to the context of the tokenizer."""
    import open_clip

    ids = open_clip.tokenize([sentence.replace(SLOT, name) for sentence in sentences])
    states: Tensor = encoder(ids)  # B x 77 x D
    each = nn.functional.normalize(states[torch.arange(len(ids)), ids.argmax(1)], dim=-1)
    return nn.functional.normalize(each.mean(0), dim=-1)


def _warm(subject: Subject) -> Case:
    kept = Vocabularies(subject.network)
    kept.embed(NAMES)
    with watch_work(subject.model) as work:
        kept.embed(NAMES)
    return subject.case(
        "vocabulary",
        "warm",
        "The same names again, in the same process.",
        {"seemkit": Path(lambda: kept.embed(NAMES))},
        count=False,
        figures=[Figure(name="calls of the text encoder", value=work.texts_encoded)],
    )
