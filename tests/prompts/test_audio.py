"""Spoken words become a text; the words are spoken by espeak-ng, and understood by what its model of English knows."""

import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seemkit_prompts.audio as module
from seemkit import Model, replay
from seemkit.errors import PromptError
from seemkit.prompting.read import read_flag, read_prompt
from seemkit.prompts import Audio, Point, Text

NAMES = ["dog", "cat", "black swan", "horse", "person", "red car", "tree"]
BEEP = (np.sin(np.arange(1600) / 5) / 2).astype(np.float32)
needs_voice = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="nobody speaks: espeak-ng is not installed"
)


@pytest.fixture(autouse=True)
def no_whisper(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(module.WHISPER, raising=False)
    module._understand.cache_clear()
    yield
    module._understand.cache_clear()


@pytest.fixture
def say(tmp_path: Path) -> Callable[[str], Path]:
    """Speaks a text into a WAV file."""

    def speak(text: str) -> Path:
        path = tmp_path / f"{text.replace(' ', '-')}.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(path), text], check=True)
        return path

    return speak


@pytest.fixture
def ear() -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx, of the extra 'audio', is not installed")
    pytest.importorskip("soundfile", reason="soundfile, of the extra 'audio', is not installed")


@needs_voice
@pytest.mark.usefixtures("ear")
def test_what_is_said_is_found_among_the_words_that_may_be_said(say: Callable[[str], Path]) -> None:
    heard = {name: Audio(sound=say(f"the {name}"), words=NAMES).settled().heard for name in NAMES}
    assert heard == {name: name for name in NAMES}


@needs_voice
@pytest.mark.usefixtures("ear")
def test_without_words_whatever_is_understood_is_taken(say: Callable[[str], Path]) -> None:
    assert Audio(sound=say("the red car")).settled().heard == "the red car"


@needs_voice
@pytest.mark.usefixtures("ear")
def test_it_answers_as_the_text_does(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], say: Callable[[str], Path]
) -> None:
    model, file = tiny_model("nano"), say("the black swan")
    spoken = Audio(sound=file, words=NAMES)
    for others in ([], [Point(x=40, y=30)], [Text(text="a tree", object="2")]):
        answers = [model.segment(photo, [p, *others]).logits for p in (spoken, Text(text="black swan"))]
        assert np.array_equal(*answers)  # type: ignore[arg-type]
    apart = [model.segment(photo, [Point(x=40, y=30), p]).selection for p in (
        Audio(sound=file, words=NAMES, include=False), Text(text="black swan", include=False),
    )]  # fmt: skip
    assert np.array_equal(*apart)  # type: ignore[arg-type]


@needs_voice
@pytest.mark.usefixtures("ear")
def test_a_session_listens_once_and_its_log_replays_without_the_file(
    tiny_model: Callable[[str], Model], photo: NDArray[np.uint8], say: Callable[[str], Path], monkeypatch: Any
) -> None:
    model, file = tiny_model("nano"), say("the horse")
    session = model.session(photo)
    session.add(Audio(sound=file, words=NAMES))
    file.unlink()
    module._understand.cache_clear()
    monkeypatch.setattr(module, "_by_sphinx", None)  # nobody listens any more
    result = session.result()
    assert session.prompts[0].heard == "horse"  # type: ignore[attr-defined]
    again = replay(session.log(), photo, model=model, assets=session.assets())
    assert np.array_equal(again.masks, result.masks)


@pytest.mark.usefixtures("ear")
def test_silence_and_unknown_words_are_refused_in_a_sentence() -> None:
    silence = Audio(sound=np.zeros(8000, np.float32), rate=16_000, words=["dog"])
    with pytest.raises(
        PromptError, match="words has 'red axolotlish', and 'axolotlish' is no word that pocketsphinx"
    ):
        Audio(sound=BEEP, rate=16_000, words=["dog", "red axolotlish"]).settled()
    with pytest.raises(PromptError, match="words has 'dog; x'"):
        Audio(sound=BEEP, rate=16_000, words=["dog; x"]).settled()
    with pytest.raises(PromptError, match=r"^nothing was understood in the sound; speak"):
        silence.settled()


def test_samples_travel_by_hash_and_a_path_as_it_is() -> None:
    from seemkit.prompting.assets import collect_assets

    samples = Audio(sound=(BEEP * 32767).astype(np.int16), rate=16_000, words=["Red  Car", "dog"])
    assert samples.words == ("red car", "dog")
    np.testing.assert_allclose(samples.sound, BEEP, atol=1e-4)
    data = samples.model_dump(mode="json")
    assert set(data["sound"]) == {"sha256", "shape", "dtype"}
    assert read_prompt(data, assets=collect_assets([samples])) == samples
    with pytest.raises(PromptError, match="travels by hash"):
        read_prompt(data)
    assert read_prompt({"type": "audio", "sound": "a.wav"}) == Audio(sound=Path("a.wav"))
    assert read_flag(Audio, "dog:orders/one.wav") == Audio(sound="orders/one.wav", object="dog")
    assert read_flag(Audio, "a#b.wav#Dog, red car,") == Audio(sound="a#b.wav", words=["dog", "red car"])
    for wrong in (" ", "#dog", "order.txt"):
        with pytest.raises(PromptError, match=r"is not of the form FILE\.wav or FILE\.wav#dog,cat"):
            read_flag(Audio, wrong)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"sound": BEEP}, "audio: rate is missing: samples need their number a second, such as rate=16000"),
        ({"sound": "a.wav", "rate": 8000}, "audio: rate is 8000, but a sound file has its own: leave it out"),
        ({"sound": ""}, "audio: expected the path of a sound, found an empty one"),
        ({"sound": BEEP.astype(complex), "rate": 8000}, "audio: expected the path of a sound, or samples"),
        (
            {"sound": np.full(9, np.nan), "rate": 8000},
            "audio: expected finite samples, found NaN or infinity",
        ),
        (
            {"sound": np.zeros((9, 99)), "rate": 8000},
            "audio: expected samples (N, channels), found 99 channels",
        ),
        (
            {"sound": np.zeros(9, np.uint8), "rate": 8000},
            "audio: expected samples in float, int16 or int32, not uint8",
        ),
        ({"sound": BEEP, "rate": 10}, "audio.rate is 10, expected a number greater than or equal to 4000"),
        ({"sound": "a.wav", "words": "dog"}, "audio: words is the one text 'dog', expected a list such as"),
        ({"sound": "a.wav", "words": [" "]}, "audio: words holds an empty text, expected what may be said"),
    ],
)
def test_wrong_fields_are_refused_in_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PromptError) as caught:
        Audio(**fields)
    assert str(caught.value).startswith(sentence)


def test_without_the_extra_one_sentence_has_the_line_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: Callable[[str], Model],
    photo: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    module._sphinx.cache_clear()
    model = tiny_model("nano")
    with pytest.raises(PromptError, match=r'pocketsphinx, which is missing: pip install "seemkit\[audio\]"$'):
        model.segment(photo, Audio(sound=BEEP, rate=16_000))
    (tmp_path / "order.wav").write_bytes(b"RIFF")
    with pytest.raises(PromptError, match=r'soundfile, which is missing: pip install "seemkit\[audio\]"$'):
        model.segment(photo, Audio(sound=tmp_path / "order.wav"))
    assert len(model.segment(photo, Audio(sound=BEEP, rate=16_000, heard="a cat"))) == 1
    assert len(model.segment(photo, Text(text="a cat"))) == 1
    module._sphinx.cache_clear()


class FakeWhisper:
    """The interface of faster_whisper.WhisperModel that is used; what it hears is set by the test."""

    said: str = ""
    asked: list[Any] = []

    def __init__(self, folder: str, **options: Any) -> None:
        self.asked.append((folder, options))

    def transcribe(self, samples: NDArray[np.float32], **options: Any) -> tuple[list[Any], None]:
        self.asked.append((samples, options))
        return [types.SimpleNamespace(text=f" {part}") for part in self.said.split("|")], None


def test_weights_of_whisper_are_used_where_they_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", types.SimpleNamespace(WhisperModel=FakeWhisper))  # type: ignore[arg-type]
    monkeypatch.setenv(module.WHISPER, str(tmp_path))
    module._whisper.cache_clear()
    FakeWhisper.asked.clear()
    FakeWhisper.said = "The black |swan."
    assert Audio(sound=BEEP, rate=16_000).settled().heard == "the black swan"
    (folder, options), (samples, _) = FakeWhisper.asked
    assert (folder, options["local_files_only"]) == (str(tmp_path), True)
    np.testing.assert_allclose(samples, BEEP)
    FakeWhisper.said = "The blek swam."
    assert Audio(sound=BEEP, rate=16_000, words=NAMES).settled().heard == "black swan"
    assert "black swan" in FakeWhisper.asked[-1][1]["initial_prompt"]
    FakeWhisper.said = ""
    with pytest.raises(PromptError, match="nothing was understood"):
        Audio(sound=BEEP, rate=16_000, words=["dog"]).settled()
    monkeypatch.setenv(module.WHISPER, str(tmp_path / "none"))
    with pytest.raises(PromptError, match=r"SEEMKIT_WHISPER names the folder '.*none', which does not"):
        Audio(sound=BEEP, rate=16_000).settled()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    monkeypatch.setenv(module.WHISPER, str(tmp_path.parent))
    with pytest.raises(
        PromptError, match=r'faster-whisper, which is missing: pip install "seemkit\[whisper\]"'
    ):
        Audio(sound=BEEP, rate=16_000).settled()
    module._whisper.cache_clear()
