"""A tiny SEEM in published form, a command line, caches of one's own, and a hub on loopback that serves files."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

import seemkit
from seemkit.assembly import Assembly, load_assembly
from seemkit.checkpoint.keys import to_theirs
from seemkit.cli.main import cli

TINY = """\
seemkit: 1
name: tiny-{variant}
backbone: {{use: focal, width: 8, depths: [1, 1, 1, 1], levels: 1}}
pixel_decoder: {{use: fpn, dim: 16, encoder_layers: 1, heads: 2, ffn: 16, groups: 4}}
mask_decoder: {{use: seem, preset: seem_{variant}, heads: 2, ffn: 16, layers: 2, queries: 5, memory_rows: 3}}
text_encoder: {{use: unicl, width: 16, layers: 1, heads: 2}}
preprocess: {{short: 64, long: 96}}
weights: {{published: {{repo: someone/tiny, file: seem_tiny_{file}.pt}}, license: CC0}}
"""
FILES = {"v0": "v0", "v1": "v1", "demo": "v0"}


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of seemkit; that of huggingface_hub lies elsewhere, and no server but a test's own is asked."""
    monkeypatch.setenv("SEEMKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody answers
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the attempts of huggingface_hub
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[[str], Path]:
    """`tiny("v1")`: the YAML file of a tiny SEEM with FocalNet, of the parameters of the published one."""

    def write(variant: str = "v1") -> Path:
        path = tmp_path / f"tiny-{variant}.yaml"
        path.write_text(TINY.format(variant=variant, file=FILES[variant]))
        return path

    return write


@pytest.fixture
def tiny_assembly(tiny: Callable[[str], Path]) -> Callable[..., Assembly]:
    """`tiny_assembly("v0")`: the same, loaded."""
    return lambda variant="v1": load_assembly(tiny(variant))


@pytest.fixture(scope="session")
def trained() -> dict[str, Tensor]:
    """Weights of the tiny SEEM by our names; leave them alone."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        data = TINY.format(variant="v1", file="v1").splitlines()[1:-1]
        import yaml

        model = seemkit.load(yaml.safe_load("\n".join(data)), weights=None, device="cpu")
    return model.network.state_dict()


@pytest.fixture
def theirs(trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same as the original would have saved it, buffers included."""
    renamed = {to_theirs(key, "focal"): value for key, value in trained.items()}
    return {"dilation_kernel": torch.ones(1, 1, 3, 3), "criterion.empty_weight": torch.ones(4), **renamed}


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """`save(content, name="seem_tiny.pt")`: a file of `torch.save`."""

    def write(content: Any, name: str = "seem_tiny.pt", **options: Any) -> Path:
        path = tmp_path / name
        torch.save(content, path, **options)
        return path

    return write


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run() -> Callable[..., Ended]:
    """Runs `seemkit ARGS` in this process."""

    def call(*args: object) -> Ended:
        outcome = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="seemkit")
        return Ended(outcome.exit_code, outcome.stdout, outcome.stderr)

    return call


@dataclass
class Hub:
    """What a Hugging Face Hub does for `hf_hub_download`: HEAD, a redirect to a store, and ranges from there.

    Attributes:
        url: of the server, on loopback.
        store: the same server under another name, as the Hub sends one elsewhere for large files.
        files: content by `owner/name/path`.
        status: answer every request for a file with this instead.
        breaks: byte positions where the next downloads break off, one each.
        stands: those that break off stand still instead, until this is set.
        ignores_range: answer a request for a range with the whole file.
        requests: method, path and range of what was asked.
        lies: name a file by another SHA-256 than it has.
        is_hub: False answers as any web server would.
    """

    url: str = ""
    store: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    breaks: list[int] = field(default_factory=list)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    lies: bool = False
    ignores_range: bool = False
    stands: threading.Event | None = None
    is_hub: bool = True

    def commit(self) -> str:
        """Another one for other files."""
        return hashlib.sha1(repr(sorted(self.files.items())).encode(), usedforsecurity=False).hexdigest()

    def downloads(self) -> list[str | None]:
        """The ranges that content was asked for."""
        return [ranged for method, path, ranged in self.requests if method == "GET" and "/store/" in path]


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub of its server."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.hub.requests.append((self.command, self.path, self.headers["Range"]))
        resolved = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([\w.-]+)/(.+)", self.path)
        stored = re.fullmatch(r"/store/(.+)", self.path)
        key = f"{resolved[1]}/{resolved[3]}" if resolved else stored[1] if stored else ""
        content = self.hub.files.get(key)
        if self.hub.status is not None:
            self.reply(self.hub.status)
        elif content is None:
            self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": self.hub.commit()})
        elif resolved and self.hub.is_hub:
            digest = "0" * 64 if self.hub.lies else hashlib.sha256(content).hexdigest()
            self.reply(
                302,
                {
                    "Location": f"{self.hub.store}/store/{key}",
                    "X-Repo-Commit": self.hub.commit(),
                    "X-Linked-Etag": f'"{digest}"',
                    "X-Linked-Size": str(len(content)),
                },
            )
        else:
            self.give(content)

    def give(self, content: bytes) -> None:
        ranged = None if self.hub.ignores_range else self.headers["Range"]
        start = int((ranged or "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if ranged else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.hub.breaks.pop(0) if self.hub.breaks else len(content)
        self.wfile.write(content[start:stop])
        if stop < len(content):
            self.close_connection = True
            if self.hub.stands is not None:
                self.hub.stands.wait(60)

    def reply(self, code: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on loopback that `HF_ENDPOINT` names; it serves nothing yet."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": hub}))
    hub.url, hub.store = (f"http://{name}:{server.server_port}" for name in ("127.0.0.1", "localhost"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()
