"""The prompt `audio`: the object in spoken words, which are understood and then taken as a text.

Speech is understood by PocketSphinx, whose package brings a model of English, or, where SEEMKIT_WHISPER names the
folder of its weights, by faster-whisper. Both come with the extra `audio`.
"""

import os
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, field_validator, model_validator

from seemkit.api import Draw, EncodeContext, Encoded, PromptError, Sound, TokenPrompt, open_sound
from seemkit_prompts.text import Text

if TYPE_CHECKING:
    from pocketsphinx import Decoder

__all__ = ["Audio"]

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
"""Of files that a flag may name."""
RATE = 16_000
"""Samples a second that the recognisers read."""
SILENCE = 0.3
"""Seconds before and after the speech."""
NOISE = 0.001
"""Deviation of the noise on top: digital silence is unlike anything that the model of English was trained on."""
ARTICLES = ("the", "a", "an")
"""May be said before what is in `words`."""
WHISPER = "SEEMKIT_WHISPER"
"""The environment variable that names the folder of faster-whisper's weights."""
INSTALL = 'pip install "seemkit[audio]"'
_LOCK = threading.Lock()


def _check_phrases(phrases: Sequence[str]) -> Sequence[str]:
    clean = tuple(" ".join(phrase.lower().split()) for phrase in phrases)
    if not all(clean):
        raise ValueError("words holds an empty text, expected what may be said, such as 'dog'")
    return tuple(dict.fromkeys(clean))


class Audio(TokenPrompt):
    """Spoken words that name the object: they are understood, and taken as a text.

    Attributes:
        sound: the path of a WAV, FLAC, OGG or MP3 file, read when the prompt is encoded; or samples (N,) or
            (N, channels), which travel by hash.
        rate: samples a second of samples; a file has its own.
        words: what may be said; the nearest of it is taken. Without any, whatever the recogniser understands.
        heard: what was understood; where it is given, nobody listens again.
    """

    type: Literal["audio"] = "audio"
    sound: Sound = Field(description="path of a sound, or samples")
    rate: int | None = Field(None, ge=4_000, le=768_000, description="samples a second of samples")
    words: Annotated[Sequence[str], AfterValidator(_check_phrases)] = Field(
        (), max_length=1000, description="what may be said; the nearest of it is taken"
    )
    heard: str | None = Field(
        None, min_length=1, max_length=1000, description="what was understood; where given, nobody listens"
    )
    draw: ClassVar[Draw] = "audio"

    @field_validator("words", mode="before")
    @classmethod
    def _list_of_words(cls, words: Any) -> Any:
        if isinstance(words, str):
            raise ValueError(
                f"words is the one text {words[:40]!r}, expected a list such as ['dog', 'red car']"
            )
        return words

    @model_validator(mode="after")
    def _rate_of_samples(self) -> Self:
        if isinstance(self.sound, str) and self.rate is not None:
            raise ValueError(f"rate is {self.rate}, but a sound file has its own: leave it out")
        if not isinstance(self.sound, str) and self.rate is None:
            raise ValueError("rate is missing: samples need their number a second, such as rate=16000")
        return self

    def encode(self, context: EncodeContext) -> Encoded:
        return Text(text=self.heard or self._listen(), include=self.include).encode(context)

    def settled(self) -> Self:
        if self.heard is not None and not isinstance(self.sound, str):
            return self
        samples = open_sound(self.sound, self.rate, to=RATE)
        samples.flags.writeable = False
        heard = self.heard or self._listen(samples)
        return self.model_copy(update={"sound": samples, "rate": RATE, "heard": heard})

    def remark(self) -> str:
        return f"heard {self.heard!r}" if self.heard else ""

    def _listen(self, samples: NDArray[np.float32] | None = None) -> str:
        """What is said, in lower case.

        Raises:
            PromptError: nothing is understood, or the recogniser is not installed.
        """
        if samples is None:
            samples = open_sound(self.sound, self.rate, to=RATE)
        heard = _understand(samples.tobytes(), tuple(self.words), os.environ.get(WHISPER))
        if not heard:
            raise PromptError(
                "nothing was understood in the sound; speak a few words clearly, say in 'words' what they may be, "
                "or give a text",
                path="sound",
            )
        return heard

    @classmethod
    def parse(cls, text: str) -> Self:
        file, _, words = text.rpartition("#") if "#" in text else (text, "", "")
        if not file.lower().endswith(SUFFIXES):
            raise PromptError(
                f"--audio {text!r} is not of the form FILE.wav or FILE.wav#dog,cat", path="audio"
            )
        return cls(sound=file, words=[word for word in words.split(",") if word.strip()])

    @classmethod
    def example(cls) -> Self:
        beep = (np.sin(np.arange(800) / 5) / 2).astype(np.float32)
        return cls(sound=beep, rate=8000, heard="the dog on the left")


@lru_cache(maxsize=16)
def _understand(samples: bytes, words: tuple[str, ...], whisper: str | None) -> str:
    """What is said in float32 samples at `RATE`; empty if nothing is understood."""
    heard = np.frombuffer(samples, np.float32)
    with _LOCK:  # neither recogniser is to be shared by threads
        return _by_whisper(heard, words, whisper) if whisper else _by_sphinx(heard, words)


def _by_sphinx(samples: NDArray[np.float32], words: tuple[str, ...]) -> str:
    quiet = np.zeros(int(SILENCE * RATE), np.float32)
    padded = np.concatenate((quiet, samples, quiet))
    padded += np.random.default_rng(0).normal(0, NOISE, len(padded)).astype(np.float32)
    pcm = (np.clip(padded, -1, 1) * 32767).astype(np.int16)
    decoder = _sphinx()
    if words:
        _check_known(decoder, words)
        grammar = f"public <words> = [{' | '.join(ARTICLES)}] ({' | '.join(words)});"
        decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar words; {grammar}")
        decoder.activate_search("words")
    else:
        decoder.activate_search()
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    heard = found.hypstr.strip() if found is not None else ""
    return _without_article(heard, words) if words else heard


@cache
def _sphinx() -> "Decoder":
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise PromptError(
            f"audio prompts are understood by pocketsphinx, which is missing: {INSTALL}"
        ) from error
    # the mean is taken over the whole sound, for it is there at once
    return Decoder(samprate=RATE, cmn="batch", loglevel="FATAL")


def _check_known(decoder: "Decoder", words: tuple[str, ...]) -> None:
    """Refuse a word that the recogniser has never heard of, or that would be read as grammar."""
    for phrase in words:
        for word in phrase.split():
            plain = word.replace("'", "").replace("-", "").isalpha() and word.isascii()
            if not plain or decoder.lookup_word(word) is None:
                raise PromptError(
                    f"words has {phrase!r}, and {word!r} is no word that pocketsphinx knows; leave it out, or set "
                    f"{WHISPER} to a folder of faster-whisper's weights",
                    path="words",
                )


def _by_whisper(samples: NDArray[np.float32], words: tuple[str, ...], folder: str | None) -> str:
    parts, _ = _whisper(str(folder)).transcribe(
        samples,
        language="en",
        without_timestamps=True,
        condition_on_previous_text=False,
        initial_prompt=", ".join(words) or None,
    )
    heard = " ".join(part.text.strip() for part in parts).lower().strip(" .,!?")
    return _closest(heard, words) if words and heard else heard


@cache
def _whisper(folder: str) -> Any:
    if not os.path.isdir(folder):
        raise PromptError(f"{WHISPER} names the folder {folder!r}, which does not exist")
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise PromptError(
            f'{WHISPER} asks for faster-whisper, which is missing: pip install "seemkit[whisper]"'
        ) from error
    try:
        return WhisperModel(folder, device="cpu", compute_type="int8", local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise PromptError(f"{folder!r} holds no weights of faster-whisper ({error})") from error


def _closest(heard: str, words: tuple[str, ...]) -> str:
    from difflib import SequenceMatcher

    plain = _without_article(heard, words)
    return max(words, key=lambda phrase: SequenceMatcher(None, plain, phrase, autojunk=False).ratio())


def _without_article(heard: str, words: tuple[str, ...]) -> str:
    first, _, rest = heard.partition(" ")
    return rest if heard not in words and first in ARTICLES else heard
