"""Notes, checkpoints and cosignatures, as the standards print them."""

from __future__ import annotations

import pytest

from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.core.note import LOG, WITNESS, Key, Note, NoteError
from gateway.signing import Cosigner, Signer, require

# The example of c2sp.org/tlog-cosignature. Its keys are not published.
EXAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
    "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# The key and note of Go's golang.org/x/mod/sumdb/note, package documentation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZ"
    "InNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SIGNER = Signer("log.example/1", bytes(range(32)))
WITNESS_1 = Cosigner("witness.example/1", bytes(range(1, 33)))
HEAD = Checkpoint("log.example/1", 7, bytes(32))


def test_a_note_that_go_signed_holds():
    key = Key.parse(PETER)
    assert str(key) == PETER
    assert require(Note.parse(SAID), key) == 0
    with pytest.raises(NoteError, match="does not hold"):
        require(Note.parse(SAID.replace("answer", "Answer")), key)


def test_the_standards_checkpoint_is_read_and_written_byte_for_byte():
    note = Note.parse(EXAMPLE)
    assert str(note) == EXAMPLE
    found = Checkpoint.parse(note.text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == note.text
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147


def test_what_a_log_signs_holds_for_its_key_alone():
    note = Note.parse(str(SIGNER.sign(HEAD.text)))
    assert checkpoint(note, SIGNER.key) == HEAD
    other = Signer("log.example/1", bytes(range(2, 34))).key
    with pytest.raises(NoteError, match="no signature"):
        checkpoint(note, other)
    lookalike = Key(SIGNER.key.name, WITNESS, SIGNER.key.public)
    with pytest.raises(NoteError, match="no signature"):
        require(note, lookalike)


@pytest.mark.parametrize("part", ["log.example/1", "\n7\n", "AAAA="])
def test_a_changed_checkpoint_does_not_hold(part):
    text = str(SIGNER.sign(HEAD.text))
    changed = text.replace(part, {"\n7\n": "\n8\n", "AAAA=": "AAAE="}.get(part, "x/1"), 1)
    with pytest.raises(NoteError):
        checkpoint(Note.parse(changed), SIGNER.key)


def test_a_cosignature_says_when_and_covers_the_time():
    note = WITNESS_1.cosign(SIGNER.sign(HEAD.text), 1_767_000_000)
    assert require(Note.parse(str(note)), WITNESS_1.key) == 1_767_000_000
    assert checkpoint(note, SIGNER.key) == HEAD
    line = note.signatures[1]
    later = line.value[:7] + bytes([line.value[7] ^ 1]) + line.value[8:]
    forged = Note(note.text, (note.signatures[0], type(line)(line.name, line.key_id, later)))
    with pytest.raises(NoteError, match="does not hold"):
        require(forged, WITNESS_1.key)


def test_a_witness_signs_once():
    note = WITNESS_1.cosign(WITNESS_1.cosign(SIGNER.sign(HEAD.text), 1), 2)
    assert len(note.signatures) == 2
    assert require(note, WITNESS_1.key) == 2


def test_keys_are_written_and_read():
    for key in (SIGNER.key, WITNESS_1.key):
        assert Key.parse(str(key)) == key
    assert (SIGNER.key.kind, WITNESS_1.key.kind) == (LOG, WITNESS)


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+00000000", PETER.replace("c74f", "c74e"), PETER[:-4], f"a b{PETER[12:]}"],
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NoteError):
        Key.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n— a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a b AAAAAAAA\n",
        "text\n\n— a+b AAAAAAAA\n",
        "te\rxt\n\n— a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA\n\n",
        "x" * 70_000 + "\n\n— a AAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(NoteError):
        Note.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "o\n07\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\nmore\n",
        "o\n1\n" + "A" * 42 + "B=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)
