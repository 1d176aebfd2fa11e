"""`seemkit pull` against a hub on loopback: what is downloaded, kept, taken up again and refused."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from torch import Tensor

import seemkit
from seemkit.assembly import Assembly, load_assembly
from seemkit.checkpoint.pull import pull
from seemkit.errors import WeightsError

KEY = "someone/tiny/seem_tiny_v1.pt"
WEIGHTS = "weights/someone--tiny/main/seem_tiny_v1.safetensors"


@pytest.fixture
def content(theirs: dict[str, Tensor], save: Any) -> bytes:
    """The published file of the tiny SEEM."""
    return save(theirs, "somewhere-else.pt").read_bytes()


@pytest.fixture
def serving(hub: Any, content: bytes) -> Any:
    """The hub, with the file on it."""
    hub.files[KEY] = content
    return hub


def refused(ended: Any, *parts: str) -> None:
    assert (ended.code, ended.out) == (2, ""), ended.out
    assert ended.err.count("\n") == 1, ended.err
    for part in parts:
        assert part in ended.err
    assert "Traceback" not in ended.err


def test_a_cold_pull_downloads_converts_and_loads(
    serving: Any,
    content: bytes,
    caches: Path,
    tiny: Any,
    trained: Mapping[str, Tensor],
    run: Any,
) -> None:
    yaml = tiny()
    ended = run("pull", yaml)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].startswith(f"{caches / WEIGHTS}: ")
    assert serving.downloads() == [None]
    lock = (caches / WEIGHTS).with_suffix(".sha256")
    assert lock.read_text() == f"{hashlib.sha256(content).hexdigest()}  seem_tiny_v1.pt\n"
    assert sorted(path.name for path in (caches / WEIGHTS).parent.iterdir()) == [
        "seem_tiny_v1.safetensors",
        "seem_tiny_v1.sha256",
    ]
    loaded = seemkit.load(yaml, device="cpu").network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in trained.items())


def test_what_is_there_is_not_downloaded_again(serving: Any, tiny: Any, run: Any) -> None:
    run("pull", tiny())
    asked = len(serving.requests)
    again = run("pull", tiny())
    assert (again.code, len(serving.requests)) == (0, asked)
    assert "was there already" in again.out
    serving.status = 500
    assert run("pull", tiny()).code == 0


def test_force_downloads_and_converts_again(serving: Any, caches: Path, tiny: Any, run: Any) -> None:
    run("pull", tiny())
    (caches / WEIGHTS).write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="is not a whole safetensors file"):
        seemkit.load(tiny(), device="cpu")
    assert run("pull", tiny(), "--force").code == 0
    assert serving.downloads() == [None, None]
    seemkit.load(tiny(), device="cpu")


def test_a_download_that_breaks_off_is_taken_up_where_it_stopped(
    serving: Any, content: bytes, caches: Path, tiny: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)  # the file is small
    serving.breaks = [len(content) // 3, len(content) // 2]
    ended = run("pull", tiny())
    assert (ended.code, ended.err) == (0, "")
    first, *later = serving.downloads()
    assert first is None
    assert len(later) == 2
    starts = [int(ranged.removeprefix("bytes=").partition("-")[0]) for ranged in later]
    assert 0 < starts[0] <= len(content) // 3 < starts[1] <= len(content) // 2
    assert (caches / WEIGHTS).is_file()


def test_a_download_that_never_ends_well_is_one_sentence_and_leaves_nothing(
    serving: Any, caches: Path, tiny: Any, run: Any
) -> None:
    serving.breaks = [0] * 50
    ended = run("pull", tiny())
    refused(ended, "seem_tiny_v1.pt could not be downloaded: ", "broke off", "by hand: get http://127.0.0.1")
    assert list((caches / WEIGHTS).parent.iterdir()) == []
    serving.breaks = []
    assert run("pull", tiny()).code == 0


def test_another_file_under_the_same_name_is_refused(
    serving: Any, theirs: dict[str, Tensor], save: Any, caches: Path, tiny: Any, run: Any
) -> None:
    run("pull", tiny())
    first = (caches / WEIGHTS).read_bytes()
    other = {key: value + 1 if value.is_floating_point() else value for key, value in theirs.items()}
    serving.files[KEY] = save(other).read_bytes()
    lock = (caches / WEIGHTS).with_suffix(".sha256")
    ended = run("pull", tiny(), "--force")
    refused(
        ended, "is not the file that it was at first", str(lock), "remove that lock if the change is meant"
    )
    assert (caches / WEIGHTS).read_bytes() == first
    (caches / WEIGHTS).unlink()
    refused(run("pull", tiny()), "is not the file that it was at first")
    lock.unlink()
    assert run("pull", tiny()).code == 0
    assert (caches / WEIGHTS).read_bytes() != first


def test_a_lock_that_cannot_be_read_is_no_consent(serving: Any, caches: Path, tiny: Any, run: Any) -> None:
    lock = (caches / WEIGHTS).with_suffix(".sha256")
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"")
    refused(run("pull", tiny()), "cannot be read; remove it to trust seem_tiny_v1.pt anew")
    assert not (caches / WEIGHTS).exists()


def test_an_assembly_can_say_which_file_it_means(
    serving: Any, content: bytes, tiny: Any, run: Any, caches: Path
) -> None:
    yaml = tiny()
    for digest, code in (("0" * 64, 2), (hashlib.sha256(content).hexdigest(), 0)):
        pinned = yaml.with_name("pinned.yaml")
        text = yaml.read_text().replace("file: seem_tiny_v1.pt", f"file: seem_tiny_v1.pt, sha256: '{digest}'")
        pinned.write_text(text)
        ended = run("pull", pinned)
        assert ended.code == code, ended.err
        assert (caches / WEIGHTS).exists() == (code == 0)
        if code:
            refused(ended, "seem_tiny_v1.pt is not the file that the assembly records: its SHA-256 is")


def test_content_that_is_not_what_the_server_names_is_damaged(
    serving: Any, tiny: Any, run: Any, caches: Path
) -> None:
    serving.lies = True
    refused(
        run("pull", tiny()), "is damaged: its SHA-256 is not the one that the server names", "it was removed"
    )
    assert not (caches / WEIGHTS).exists()


def test_a_file_that_does_not_fit_is_not_kept(
    hub: Any, theirs: dict[str, Tensor], save: Any, tiny: Any, run: Any, caches: Path
) -> None:
    del theirs["sem_seg_head.predictor.class_embed"]
    hub.files[KEY] = save(theirs).read_bytes()
    ended = run("pull", tiny())
    assert ended.code == 2
    assert "seem_tiny_v1.pt" in ended.err.splitlines()[0]
    assert "heads.class_proj  sem_seg_head.predictor.class_embed" in ended.err
    assert not (caches / WEIGHTS).exists()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "there is no repository 'someone/tiny', or that it is not for everybody (401)"),
        (403, "not for everybody (403)"),
        (404, "has no 'seem_tiny_v1.pt' at 'someone/tiny', revision 'main' (404)"),
        (500, "answered with status 500; try again later"),
        (503, "answered with status 503; try again later"),
    ],
)
def test_a_server_that_says_no_is_one_sentence(
    status: int, sentence: str, serving: Any, tiny: Any, run: Any
) -> None:
    serving.status = status
    refused(run("pull", tiny()), sentence, "by hand: get ")


def test_a_server_that_is_no_hub_is_one_sentence(serving: Any, tiny: Any, run: Any) -> None:
    serving.is_hub = False
    refused(run("pull", tiny()), "does not answer as a Hugging Face Hub does; look at HF_ENDPOINT")


def test_a_name_that_no_repository_has_is_one_sentence(serving: Any, tiny: Any, run: Any) -> None:
    yaml = tiny()
    yaml.write_text(yaml.read_text().replace("someone/tiny", "someone/a--b"))
    refused(run("pull", yaml), "'someone/a--b' cannot be the name of a repository")
    assert serving.requests == []


def test_a_file_that_is_gone_is_one_sentence(hub: Any, tiny: Any, run: Any) -> None:
    refused(run("pull", tiny()), f"{hub.url[7:]} has no 'seem_tiny_v1.pt' at 'someone/tiny'")


def test_without_a_network_the_way_by_hand_is_said_and_works(
    content: bytes, tiny: Any, run: Any, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml = tiny()
    ended = run("pull", yaml)
    refused(ended, "there is no connection to 127.0.0.1:9", "http://127.0.0.1:9/someone/tiny/resolve/main/")
    said = ended.err.partition("and run '")[2].strip().removesuffix("'")
    assert said == f"seemkit convert seem_tiny_v1.pt --assembly FILE.yaml -o {caches / WEIGHTS}"
    monkeypatch.chdir(tmp_path)
    Path("seem_tiny_v1.pt").write_bytes(content)
    shutil.copy(yaml, "FILE.yaml")
    assert run(*said.split()[1:]).code == 0
    assert seemkit.load(yaml, device="cpu").assembly is not None


def test_offline_nothing_is_asked(serving: Any, tiny: Any, run: Any, caches: Path, monkeypatch: Any) -> None:
    sentence = "it is not here yet, and offline nothing is downloaded"
    refused(run("pull", tiny(), "--offline"), sentence)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refused(run("pull", tiny()), sentence)
    assert serving.requests == []
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    assert run("pull", tiny()).code == 0
    asked = len(serving.requests)
    (caches / WEIGHTS).unlink()  # what was downloaded is still in the cache of huggingface_hub
    assert run("pull", tiny(), "--offline").code == 0
    assert (caches / WEIGHTS).is_file()
    assert run("pull", tiny(), "--offline", "--force").code == 0
    assert len(serving.requests) == asked


def test_a_server_that_is_down_does_not_matter_once_the_file_is_here(
    serving: Any, tiny: Any, run: Any, caches: Path
) -> None:
    run("pull", tiny())
    (caches / WEIGHTS).unlink()
    serving.status = 503
    assert run("pull", tiny()).code == 0


def test_two_pulls_at_once_leave_one_whole_file(
    serving: Any, tiny_assembly: Callable[..., Assembly], trained: Mapping[str, Tensor], caches: Path
) -> None:
    assembly, start, paths, errors = (
        tiny_assembly(),
        threading.Barrier(3),
        list[Path](),
        list[BaseException](),
    )

    def work() -> None:
        start.wait()
        try:
            paths.append(pull(assembly))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, set(paths)) == ([], {caches / WEIGHTS})
    assert len(list((caches / WEIGHTS).parent.iterdir())) == 2
    loaded = seemkit.load(assembly, device="cpu").network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in trained.items())


def test_v0_and_demo_share_one_file(hub: Any, content: bytes, tiny: Any, run: Any) -> None:
    hub.files["someone/tiny/seem_tiny_v0.pt"] = content
    assert run("pull", tiny("demo")).code == 0
    assert "was there already" in run("pull", tiny("v0")).out
    for variant in ("v0", "demo"):
        seemkit.load(tiny(variant), device="cpu")


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ("null", "no weights were published for assembly 'mine'"),
        ("{file: mine.safetensors}", "there is nothing to download"),
    ],
)
def test_an_assembly_without_a_published_file_says_so(
    weights: str, sentence: str, hub: Any, tiny: Any, run: Any, tmp_path: Path
) -> None:
    tiny("v1")
    mine = tmp_path / "mine.yaml"
    over = "null" if weights == "null" else "{file: mine.safetensors, published: null}"
    mine.write_text(f"seemkit: 1\nextends: tiny-v1.yaml\nweights: {over}\n")
    refused(run("pull", mine), sentence)
    assert hub.requests == []


def test_a_cache_that_cannot_be_written_is_one_sentence(
    serving: Any, tiny: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path / "file" / "cache"))
    refused(run("pull", tiny()), "cannot be made: Not a directory; SEEMKIT_CACHE names another")
    assert serving.requests == []


@pytest.mark.parametrize(
    ("published", "sentence"),
    [
        ("{repo: someone, file: a.pt}", "weights.published.repo"),
        ("{repo: ../../etc, file: a.pt}", "weights.published.repo"),
        ("{repo: a/b, file: ../a.pt}", "expected a path without"),
        ("{repo: a/b, file: a.bin}", "expected a file that ends in .pt or .pth"),
        ("{repo: a/b, file: a.pt, revision: ../..}", "weights.published.revision"),
        ("{repo: a/b, file: a.pt, sha256: abc}", "weights.published.sha256"),
        ("{repo: a/b}", "weights.published.file"),
    ],
)
def test_what_is_wrong_with_a_published_file_is_said_when_the_assembly_is_read(
    published: str, sentence: str, tiny: Any, run: Any
) -> None:
    yaml = tiny()
    yaml.write_text(yaml.read_text().partition("weights:")[0] + f"weights: {{published: {published}}}\n")
    refused(run("pull", yaml), sentence)


PUBLISHED = [
    *(f"seem-{size}-{variant}" for size in ("focalt", "focall") for variant in ("v0", "v1", "demo")),
    "seem-samvitb-v1",
    "seem-samvitl-v1",
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shipped_assemblies_name_what_the_original_published(name: str) -> None:
    # the demo of the original runs on the weights of v0
    section = load_assembly(name).weights
    assert section is not None
    assert section.published is not None
    assert section.published.repo == "xdecoder/SEEM"
    assert section.published.file == f"{name.replace('-', '_').replace('_demo', '_v0')}.pt"


@pytest.mark.parametrize("name", ["seem-davitd3-v1", "seem-davitd5-v1"])
def test_nothing_was_published_for_davit(name: str, run: Any) -> None:
    refused(run("pull", name), f"no weights were published for assembly {name!r}")


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ("{license: CC0}", "expected 'file', a .safetensors file, or 'published'"),
        (f"{{published: {{repo: a/b, file: a.pt}}, sha256: '{'0' * 64}'}}", "'sha256' is that of 'file'"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights: str, sentence: str, tiny: Any, run: Any) -> None:
    yaml = tiny()
    yaml.write_text(yaml.read_text().partition("weights:")[0] + f"weights: {weights}\n")
    refused(run("pull", yaml), sentence)


def test_a_file_that_is_named_after_another_variant_is_not_kept_for_all(
    serving: Any, tiny: Any, run: Any, tmp_path: Path
) -> None:
    # the cache is shared with the assembly that the file is for
    tiny("v1")
    (tmp_path / "mine.yaml").write_text(
        "seemkit: 1\nextends: tiny-v1.yaml\nmask_decoder: {preset: seem_v0}\n"
    )
    refused(
        run("pull", tmp_path / "mine.yaml"), "seem_tiny_v1.pt is named v1, and assembly 'mine' computes as v0"
    )
    assert serving.requests == []
