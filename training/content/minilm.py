"""all-MiniLM-L6-v2 in plain numpy: sentence embeddings of single words, for training only.

Wang et al., 2020 (arXiv 2002.10957), trained for sentences by sentence-transformers, Apache-2.0;
a BERT of 6 layers and 384 numbers, whose mean over all tokens is the embedding.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LAYERS, _HEADS, _SIZE = 6, 12, 384
_BATCH = 64


class MiniLM:
    """The model in a folder with model.safetensors and tokenizer.json."""

    def __init__(self, folder: Path) -> None:
        import tokenizers  # noqa: PLC0415

        self._tokens: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.no_truncation()
        self._tokens.no_padding()
        self._weights = _safetensors(folder / "model.safetensors")

    @property
    def words(self) -> list[str]:
        """What its vocabulary holds whole, without pieces and marks."""
        return [word for word in self._tokens.get_vocab() if re.fullmatch("[a-z]{2,}", word)]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Of shape (texts, 384), each of length 1."""
        ids = [encoding.ids for encoding in self._tokens.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        out = np.zeros((len(ids), _SIZE), np.float32)
        for first in range(0, len(order), _BATCH):
            part = order[first : first + _BATCH]
            out[part] = self._batch([ids[i] for i in part])
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    def _batch(self, ids: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, ids))
        mask = np.array([[1.0] * len(i) + [0.0] * (longest - len(i)) for i in ids], np.float32)
        padded = np.array([[*i, *[0] * (longest - len(i))] for i in ids])
        kind = "embeddings."
        x = (
            self._weights[kind + "word_embeddings.weight"][padded]
            + self._weights[kind + "position_embeddings.weight"][:longest]
            + self._weights[kind + "token_type_embeddings.weight"][0]
        )
        x = self._normed(x, kind + "LayerNorm")
        for layer in range(_LAYERS):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        return np.asarray((x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True), np.float32)

    def _layer(self, x: Floats, mask: Floats, name: str) -> Floats:
        def heads(part: str) -> Floats:
            out = self._linear(x, f"{name}attention.self.{part}")
            return out.reshape(*x.shape[:2], _HEADS, -1).transpose(0, 2, 1, 3)

        query, key, value = map(heads, ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1])
        scores = scores - 1e9 * (1 - mask[:, None, None, :])
        share = np.exp(scores - scores.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        told = (share @ value).transpose(0, 2, 1, 3).reshape(x.shape)
        told = self._linear(told, name + "attention.output.dense")
        x = self._normed(x + told, name + "attention.output.LayerNorm")
        inner = _gelu(self._linear(x, name + "intermediate.dense"))
        inner = self._linear(inner, name + "output.dense")
        return self._normed(x + inner, name + "output.LayerNorm")

    def _linear(self, x: Floats, name: str) -> Floats:
        return np.asarray(x @ self._weights[name + ".weight"].T + self._weights[name + ".bias"])

    def _normed(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * self._weights[name + ".weight"] + self._weights[name + ".bias"])


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf  # noqa: PLC0415

    return np.asarray(x * 0.5 * (1 + erf(x / np.sqrt(2))), np.float32)


def _safetensors(path: Path) -> dict[str, Floats]:
    """Arrays by name: eight bytes of length, a head in JSON, then the data."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    head = json.loads(data[8 : 8 + length])
    out = {}
    for name, about in head.items():
        if about.get("dtype") == "F32":
            start, end = (8 + length + offset for offset in about["data_offsets"])
            array = np.frombuffer(data[start:end], np.float32)
            out[name.removeprefix("bert.")] = array.reshape(about["shape"])
    return out
