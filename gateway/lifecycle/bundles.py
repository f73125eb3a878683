"""A bundle at rest: the texts it is compiled from, what they mean, and who signed that.

It is addressed by its meaning's digest, as `gateway policy check` prints it. The signed text
holds this digest and that of the texts, so neither can be exchanged for another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.canonical import canonical
from gateway.core.errors import ConfigError
from gateway.core.note import Key, Note, NoteError
from gateway.signing import Signer, require

MAX_BYTES = 4 * 1024 * 1024
_FORM = "gateway/policy-bundle/v1"
# (file name, its YAML text), in the order in which they are read.
Texts = Sequence[tuple[str, str]]


class BundleRefused(ConfigError):
    """A stored bundle that is not what somebody signed, or cannot be read."""


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """digest: of what it means. sources: the texts as JSON. note: the signed text."""

    digest: str
    sources: str
    note: str

    @classmethod
    def sign(cls, digest: str, texts: Texts, signer: Signer) -> SignedBundle:
        """These texts, which mean this. Raises ConfigError if they are too large."""
        sources = canonical([list(each) for each in texts])
        if len(sources) > MAX_BYTES:
            raise ConfigError(
                f"The policies have {len(sources):,} bytes; a bundle has at most {MAX_BYTES:,}."
            )
        return cls(digest, sources, str(signer.sign(_text(digest, sources))))

    @classmethod
    def parse(cls, text: str) -> SignedBundle:
        """From what `str` gave. Raises BundleRefused."""
        try:
            said = json.loads(text)
            return cls(*(said[name] for name in ("digest", "sources", "note")))
        except (ValueError, TypeError, KeyError) as err:
            raise BundleRefused(
                "This is no signed bundle. Expected what 'gateway policy sign' writes."
            ) from err

    def __str__(self) -> str:
        said = {"digest": self.digest, "sources": self.sources, "note": self.note}
        return json.dumps(said, indent=1) + "\n"

    def texts(self, key: Key) -> list[tuple[str, str]]:
        """What it is compiled from. Raises BundleRefused unless this key signed just that."""
        short = self.digest[:12]
        try:
            note = Note.parse(self.note)
            require(note, key)
        except NoteError as err:
            raise BundleRefused(f"Bundle {short}: {err}.") from err
        if note.text != _text(self.digest, self.sources):
            raise BundleRefused(f"Bundle {short}: it is not what was signed.")
        return [(name, text) for name, text in json.loads(self.sources)]


def signer(root: bytes) -> Signer:
    """The key that signs bundles and acts; it follows from the keyring's root secret."""
    seed = hmac.digest(root, b"policy signing", "sha256")
    name = hashlib.sha256(b"policy signer" + seed).hexdigest()[:12]
    return Signer(f"responsible-use-gateway/policies/{name}", seed)


def _text(digest: str, sources: str) -> str:
    fingerprint = hashlib.sha256(sources.encode()).hexdigest()
    return f"{_FORM}\ndigest {digest}\nsources {fingerprint}\n"
