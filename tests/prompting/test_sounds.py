"""Sounds are read as one channel at a rate of one's choice; expected samples are sines worked out by numpy."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seemkit.errors import PromptError
from seemkit.prompting.sounds import LONGEST, open_sound


def sine(rate: int, seconds: float = 0.5, pitch: float = 200.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_a_tone_is_the_same_tone_at_another_rate(rate: int) -> None:
    found = open_sound(sine(rate), rate, to=16_000)
    assert found.dtype == np.float32
    expected = sine(16_000)
    assert len(found) == pytest.approx(len(expected), abs=2)
    inner = slice(800, 7200)  # the filter rings at the ends
    assert np.abs(found[inner] - expected[inner]).max() < 0.01


def test_channels_are_averaged_and_samples_clipped() -> None:
    two = np.stack([sine(16_000), np.zeros(8000, np.float32)], axis=1)
    np.testing.assert_allclose(open_sound(two, 16_000), sine(16_000) / 2, atol=1e-7)
    assert np.abs(open_sound(np.array([3.0, -3.0]), 16_000)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_files_of_several_formats_are_read(tmp_path: Path, suffix: str) -> None:
    soundfile = pytest.importorskip("soundfile", reason="soundfile, of the extra 'audio', is not installed")
    soundfile.write(tmp_path / f"tone.{suffix}", sine(22_050, 1.0), 22_050)
    found = open_sound(tmp_path / f"tone.{suffix}")
    assert len(found) == pytest.approx(16_000, abs=2)
    assert np.abs(found[2000:14_000] - sine(16_000, 1.0)[2000:14_000]).max() < 0.02


def test_what_is_no_sound_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="there is no sound file"):
        open_sound(tmp_path / "none.wav")
    with pytest.raises(PromptError, match="rate is missing"):
        open_sound(sine(8000))
    with pytest.raises(
        PromptError, match=f"the sound is {LONGEST + 1} seconds long; at most {LONGEST} are taken"
    ):
        open_sound(np.zeros((LONGEST + 1) * 100, np.float32), 100)
    soundfile = pytest.importorskip("soundfile", reason="soundfile, of the extra 'audio', is not installed")
    (tmp_path / "order.wav").write_text("no sound")
    with pytest.raises(PromptError, match=r"order\.wav' is no sound that can be read: expected a WAV"):
        open_sound(tmp_path / "order.wav")
    with pytest.raises(PromptError, match=r"did you mean '.*order\.wav'\?"):
        open_sound(tmp_path / "ordr.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16_000)
    with pytest.raises(PromptError, match="holds no sound"):
        open_sound(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "long.wav", np.zeros((LONGEST + 5) * 8000, np.int16), 8000)
    with pytest.raises(PromptError, match=f"is {LONGEST + 5} seconds long"):
        open_sound(tmp_path / "long.wav")
