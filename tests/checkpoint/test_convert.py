"""Conversion of published files, on a tiny SEEM saved under the published names."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

import seemkit.weights
from seemkit.assembly import Assembly, load_assembly
from seemkit.checkpoint.convert import convert_checkpoint, named_variant
from seemkit.checkpoint.fit import MisfitError, expected_parameters
from seemkit.checkpoint.keys import Family, shape_to_theirs, to_ours, to_theirs
from seemkit.errors import WeightsError

State = dict[str, Tensor]
BUFFERS = ("dilation_kernel", "criterion.empty_weight")


def shuffled(state: State) -> State:
    keys = [*state]
    random.Random(3).shuffle(keys)
    return {key: state[key] for key in keys}


def prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {f"{prefix}{key}": value for key, value in state.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "published": lambda state: state,
    "no buffers": lambda state: {k: v for k, v in state.items() if k not in BUFFERS},
    "model.": prefixed("model."),
    "module.": prefixed("module."),
    "module.model.": prefixed("module.model."),
    "model.module.": prefixed("model.module."),
    "some with a prefix": lambda state: {f"model.{k}" if len(k) % 2 else k: v for k, v in state.items()},
    "training": lambda state: {
        "module": prefixed("module.model.")(state), "optimizer": {"lr": 0.1}, "lr_scheduler": None, "epoch": 3,
    },
    "all that is ignorable": lambda state: {
        **state, "backbone_proj": torch.ones(3, 2), "sem_seg_head.predictor.x.self_attn_mask": torch.ones(5),
    },
    "other order": shuffled,
    "not contiguous": lambda state: {
        k: v.t().contiguous().t() if v.dim() == 2 else v for k, v in state.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_published_file_becomes_a_weights_file_with_the_same_values(
    form: str,
    theirs: State,
    trained: State,
    save: Any,
    tiny_assembly: Callable[..., Assembly],
    tmp_path: Path,
) -> None:
    made = convert_checkpoint(save(FORMS[form](theirs)), tmp_path / "out.safetensors", tiny_assembly())
    model = seemkit.load(tiny_assembly(), weights=made.path, device="cpu")
    loaded = model.network.state_dict()
    assert loaded.keys() == trained.keys()
    assert all(torch.equal(loaded[key], trained[key]) for key in trained)
    assert (made.parameters, made.values) == (len(trained), sum(x.numel() for x in trained.values()))


def test_the_old_form_of_torch_files_is_read_too(
    theirs: State, trained: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    source = save(theirs, _use_new_zipfile_serialization=False)
    made = convert_checkpoint(source, tmp_path / "out.safetensors", tiny_assembly())
    stored = load_file(made.path)
    assert all(torch.equal(stored[key], trained[key]) for key in trained)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_that_of_the_network(
    dtype: torch.dtype,
    theirs: State,
    trained: State,
    save: Any,
    tiny_assembly: Callable[..., Assembly],
    tmp_path: Path,
) -> None:
    source = save({key: value.to(dtype) for key, value in theirs.items()})
    stored = load_file(convert_checkpoint(source, tmp_path / "out.safetensors", tiny_assembly()).path)
    assert all(
        torch.equal(stored[key], value.to(dtype).float()) and stored[key].dtype == torch.float32
        for key, value in trained.items()
    )


def test_values_that_share_memory_are_stored_apart(
    theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    head = "sem_seg_head.predictor"
    theirs[f"{head}.query_embed.weight"] = theirs[f"{head}.query_feat.weight"]
    stored = load_file(convert_checkpoint(save(theirs), tmp_path / "o.safetensors", tiny_assembly()).path)
    one, two = stored["decoder.queries.object.content"], stored["decoder.queries.object.position"]
    assert torch.equal(one, two)


def test_half_precision_is_half_the_size(
    theirs: State, trained: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    source = save(theirs)
    whole = convert_checkpoint(source, tmp_path / "whole.safetensors", tiny_assembly()).path
    half = convert_checkpoint(source, tmp_path / "half.safetensors", tiny_assembly(), half=True).path
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    loaded = seemkit.load(tiny_assembly(), weights=half, device="cpu").network.state_dict()
    assert all(torch.equal(loaded[key], value.half().float()) for key, value in trained.items())


@pytest.mark.parametrize("variant", ["v0", "v1", "demo"])
def test_the_file_records_what_it_is(
    variant: str,
    theirs: State,
    save: Any,
    tiny_assembly: Callable[..., Assembly],
    tmp_path: Path,
) -> None:
    source = save(theirs, "mine.pt")
    made = convert_checkpoint(source, tmp_path / "out.safetensors", tiny_assembly(variant))
    with safe_open(str(made.path), framework="pt") as file:
        about = json.loads(file.metadata()["seemkit"])
        assert file.metadata()["variant"] == variant
    assert about == {
        "format": "seemkit-weights-1",
        "assembly": f"tiny-{variant}",
        "variant": variant,
        "license": "CC0",
        "source": "mine.pt",
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "plugins": {},
    }


OTHERS: dict[Family, dict[str, Any]] = {
    "focal_large": {"use": "focal_large", "width": 8, "depths": [1, 1, 1, 1], "levels": 1},
    "davit": {"use": "davit", "width": 8, "depths": [1, 1, 1, 1], "head_width": 4},
    "sam_vit": {
        "use": "sam_vit", "width": 8, "depth": 2, "heads": 2, "global_blocks": [1], "image_size": 64,
        "channels": [4, 4, 8, 8],
    },
}  # fmt: skip


@pytest.mark.parametrize("family", OTHERS)
def test_the_other_families_are_converted_too(
    family: Family, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    assembly = load_assembly(tiny_assembly(), {"backbone": OTHERS[family], "weights": None})
    trained = seemkit.load(assembly, weights=None, device="cpu").network.state_dict()
    published = {
        to_theirs(key, family): value.reshape(shape_to_theirs(key, value.shape, family))
        for key, value in trained.items()
    }
    stored = load_file(convert_checkpoint(save(published), tmp_path / "out.safetensors", assembly).path)
    assert stored.keys() == trained.keys()
    assert all(torch.equal(stored[key], value) for key, value in trained.items())
    changed, wrong = damage(published, 1, family)
    with pytest.raises(MisfitError) as caught:
        convert_checkpoint(save(changed), tmp_path / "other.safetensors", assembly)
    assert {kind: set(getattr(caught.value, kind)) for kind in wrong} == wrong


def damage(state: State, seed: int, family: Family = "focal") -> tuple[State, dict[str, set[str]]]:
    """Drops, renames and reshapes one parameter each, by chance; returns what has to be said, by kind."""
    draw = random.Random(seed)
    dropped, renamed, reshaped = draw.sample([key for key in state if key not in BUFFERS], 3)
    changed = {key: value for key, value in state.items() if key != dropped}
    changed[f"{renamed}_of_another_time"] = changed.pop(renamed)
    changed[reshaped] = torch.zeros(*changed[reshaped].shape, 2)
    return changed, {
        "missing": {to_ours(dropped, family), to_ours(renamed, family)},
        "unexpected": {f"{renamed}_of_another_time"},
        "misshapen": {to_ours(reshaped, family)},
    }


@pytest.mark.parametrize("seed", range(8))
def test_everything_that_does_not_fit_is_listed_and_nothing_is_written(
    seed: int, theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    changed, wrong = damage(theirs, seed)
    source, target = save(changed), tmp_path / "out.safetensors"
    with pytest.raises(
        MisfitError, match=r"seem_tiny\.pt does not fit assembly 'tiny-v1', and nothing"
    ) as caught:
        convert_checkpoint(source, target, tiny_assembly())
    assert {kind: set(getattr(caught.value, kind)) for kind in wrong} == wrong
    sentence, *lines = str(caught.value).splitlines()
    assert sentence.endswith("2 missing, 1 unexpected, 1 of another shape")
    assert len(lines) == 3 + 4  # headings and names
    for name in {*wrong["missing"], *wrong["misshapen"]}:
        assert any(name in line and to_theirs(name, "focal") in line for line in lines)
    assert not target.exists()


def test_the_sign_of_the_family_may_be_what_is_missing(
    theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    del theirs["backbone.patch_embed.norm.weight"]
    with pytest.raises(MisfitError) as caught:
        convert_checkpoint(save(theirs), tmp_path / "out.safetensors", tiny_assembly())
    assert caught.value.missing == ("image_encoder.patch_embed.norm.weight",)
    assert (caught.value.unexpected, caught.value.misshapen) == ((), ())


def test_a_name_that_comes_twice_is_refused(
    theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    theirs["model.backbone.norm0.weight"] = theirs["backbone.norm0.weight"]
    with pytest.raises(WeightsError, match=r"holds 'backbone\.norm0\.weight' twice, once behind a prefix"):
        convert_checkpoint(save(theirs), tmp_path / "out.safetensors", tiny_assembly())


def test_a_file_for_another_shipped_assembly_says_which(
    save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    shapes = expected_parameters(load_assembly("seem-focalt-v0"))
    hollow = {to_theirs(key, "focal"): torch.zeros(()).expand(x.shape) for key, x in shapes.items()}
    with pytest.raises(
        MisfitError, match=r"this file fits seem-focalt-demo, seem-focalt-v0, seem-focalt-v1\n"
    ) as caught:
        convert_checkpoint(save(hollow), tmp_path / "out.safetensors", tiny_assembly())
    shown = "prompts.region.sign_embed  sem_seg_head.predictor.pn_indicator.weight  (2, 512)  (2, 16)"
    assert shown in str(caught.value)


def test_a_file_of_another_model_is_said_to_be_one(
    save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    source = save(torch.nn.Linear(2, 2).state_dict())
    with pytest.raises(MisfitError, match="holds none of the parameters of a SEEM file, and nothing"):
        convert_checkpoint(source, tmp_path / "out.safetensors", tiny_assembly())


def test_an_assembly_that_nothing_was_published_for_is_refused(
    theirs: State, save: Any, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="no published SEEM file is for assembly 'nano'"):
        convert_checkpoint(save(theirs), tmp_path / "out.safetensors", load_assembly("nano"))


@pytest.mark.parametrize(
    ("file", "variant"),
    [
        ("seem_focalt_v0.pt", "v0"),
        ("seem_focall_v1.pt", "v1"),
        ("seem_focalt_v2.pt", "v0"),  # as an older release called it
        ("seem_focalt_demo.pt", "v0"),
        ("SEEM-FOCALT-V1 (1).pt", "v1"),
        ("model.pt", None),
        ("convnext_v10.pt", None),
        ("mov1e.pt", None),
    ],
)
def test_what_a_file_name_says_of_the_variant(file: str, variant: str | None) -> None:
    assert named_variant(file) == variant


@pytest.mark.parametrize(
    ("file", "variant", "warned"),
    [
        ("seem_focalt_v1.pt", "v0", True),
        ("seem_focalt_v0.pt", "v1", True),
        ("seem_focalt_v1.pt", "demo", True),
        ("seem_focalt_v0.pt", "demo", False),
        ("seem_focalt_v0.pt", "v0", False),
        ("mine.pt", "v1", False),
    ],
)
def test_a_name_that_contradicts_the_assembly_is_warned_of_in_one_line(
    file: str, variant: str, warned: bool, theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any
) -> None:
    target = tmp_path / "out.safetensors"
    ended = run("convert", save(theirs, file), "--assembly", tiny(variant), "-o", target)
    assert ended.code == 0, ended.err
    assert target.is_file()
    assert ended.err.count("\n") == warned
    assert (f"{file} is named" in ended.err) == warned


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("gone/out.safetensors", "cannot be written: there is no directory"),
        ("seem_tiny.pt", "is not a .safetensors file; did you mean"),
        ("folder.safetensors", "is a directory: give the name of a file in it"),
        ("link.safetensors", "is the file to convert itself; give another name"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_anything_is_read(
    out: str, sentence: str, theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any
) -> None:
    source = save(theirs)
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "link.safetensors").symlink_to(source)
    before = source.read_bytes()
    ended = run("convert", source, "--assembly", tiny(), "-o", tmp_path / out)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert sentence in ended.err
    assert source.read_bytes() == before


def test_a_full_disk_leaves_nothing_and_what_was_there(
    theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_written(tensors: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", half_written)
    source, yaml, target = save(theirs), tiny(), tmp_path / "out.safetensors"
    target.write_bytes(b"before")
    before = {path.name for path in tmp_path.iterdir()}
    ended = run("convert", source, "--assembly", yaml, "-o", target)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "No space left on device" in ended.err
    assert {path.name for path in tmp_path.iterdir()} == before
    assert target.read_bytes() == b"before"


def test_a_limit_on_the_size_of_files_ends_in_a_sentence(
    theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any
) -> None:
    # the writer itself meets the end of the space, as on a full disk
    resource = pytest.importorskip("resource")
    source, yaml, target = save(theirs), tiny(), tmp_path / "out.safetensors"
    signal = pytest.importorskip("signal")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    before = {path.name for path in tmp_path.iterdir()}
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        ended = run("convert", source, "--assembly", yaml, "-o", target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "cannot be written" in ended.err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_command_says_what_it_made(theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any) -> None:
    source, yaml, target = save(theirs), tiny("demo"), tmp_path / "out.safetensors"
    ended = run("convert", source, "--assembly", yaml, "-o", target)
    assert (ended.code, ended.err) == (0, "")
    assert "tiny-demo, as demo" in ended.out
    assert hashlib.sha256(source.read_bytes()).hexdigest() in ended.out
    assert f"-m {yaml} --weights {target}" in ended.out


def test_a_misfit_on_the_command_line_is_a_sentence_and_the_lists(
    theirs: State, save: Any, tiny: Any, tmp_path: Path, run: Any
) -> None:
    del theirs["sem_seg_head.predictor.class_embed"]
    ended = run("convert", save(theirs), "--assembly", tiny(), "-o", tmp_path / "out.safetensors")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "seemkit: seem_tiny.pt does not fit assembly 'tiny-v1', and nothing was written: 1 missing",
        "missing (our name, published name):",
        "  heads.class_proj  sem_seg_head.predictor.class_embed",
    ]


def test_the_network_is_never_allocated(
    theirs: State, save: Any, tiny_assembly: Callable[..., Assembly], tmp_path: Path
) -> None:
    assembly = tiny_assembly()
    assert {value.device.type for value in expected_parameters(assembly).values()} == {"meta"}
    before = torch.random.get_rng_state()
    convert_checkpoint(save(theirs), tmp_path / "out.safetensors", assembly)
    assert torch.equal(torch.random.get_rng_state(), before)  # nothing was initialised
