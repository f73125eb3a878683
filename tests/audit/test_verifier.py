"""The one file for auditors: a real bundle holds with bare Python, and nothing else does."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.audit import chain, merkle, verifier
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.prove import Unplaced, prove, prove_at, prove_own
from gateway.audit.witness import Witness
from gateway.signing import Signer

# RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc) (secret key not needed to verify).
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
            "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
            "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
            "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
            "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
            "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]
VECTORS = [tuple(bytes.fromhex(part) for part in vector) for vector in RFC_8032]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_rfc_8032_hold_and_changed_ones_do_not(public, message, signature):
    assert verifier.signed(public, message, signature)
    assert not verifier.signed(public, message + b"x", signature)
    assert not verifier.signed(public, message, signature[:-1])
    for place in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not verifier.signed(public, message, bytes(changed))
    order = int.from_bytes(signature[32:], "little") + verifier.ORDER
    malleable = signature[:32] + order.to_bytes(32, "little")
    assert not verifier.signed(public, message, malleable)


def test_it_agrees_with_the_library():
    for seed in range(12):
        signer = Signer("a/b", bytes([seed] * 32))
        message = bytes(range(seed))
        assert verifier.signed(signer.key.public, message, signer._private.sign(message))


def test_what_is_no_point_is_no_key():
    assert verifier.decode(bytes([255] * 32)) is None
    assert verifier.decode((2).to_bytes(32, "little")) is None
    assert verifier.decode(b"\x01" + bytes(30) + b"\x80") is None


@pytest.fixture
def bundle(filled, sequencer, log_key):
    sequencer().round()
    return prove(filled, "00000005-exchange", log_key)


def test_a_bundle_holds_with_bare_python(bundle, log_key, tmp_path):
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    command = [sys.executable, "-I", "-S", verifier.__file__, str(path), "--key", str(log_key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("The evidence holds.\n")
    assert done.stdout.count("entry ") == 2
    path.write_text(json.dumps(bundle).replace("acme", "acne"), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "DOES NOT HOLD: the entry is not the one" in done.stdout
    done = subprocess.run(command[:4], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_the_verifier_imports_the_standard_library_only():
    text = Path(verifier.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert named <= {*sys.stdlib_module_names}
    assert len(text.splitlines()) < 260


def test_a_bundle_holds_for_the_right_key_and_warns_without_one(bundle, log_key):
    assert any("the key you gave" in line for line in verifier.check(bundle, str(log_key)))
    assert any("ANYBODY" in line for line in verifier.check(bundle))
    other = Signer(log_key.name, bytes(32)).key
    with pytest.raises(verifier.Broken, match="not signed by"):
        verifier.check(bundle, str(other))


def changed(bundle, *path, to):
    copied = copy.deepcopy(bundle)
    place = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to(place[path[-1]])
    return copied


CHANGES = [
    (("form",), lambda v: "x/1"),
    (("checkpoint",), lambda v: v.replace("\n30\n", "\n29\n")),
    (("checkpoint",), lambda v: v.split("\n\n")[0] + "\n\n"),
    (("checkpoint",), lambda v: "x"),
    (("checkpoint",), lambda v: 7),
    (("entries",), lambda v: []),
    (("entries",), lambda v: 3),
    (("entries", 0, "core"), lambda v: v.replace("acme", "acne")),
    (("entries", 0, "core"), lambda v: v + " "),
    (("entries", 0, "prev"), lambda v: "00" * 32),
    (("entries", 0, "prev"), lambda v: "00"),
    (("entries", 0, "index"), lambda v: v + 1),
    (("entries", 0, "index"), lambda v: 30),
    (("entries", 0, "index"), lambda v: -1),
    (("entries", 0, "proof"), lambda v: v[:-1]),
    (("entries", 0, "proof"), lambda v: [*v, v[0]]),
    (("entries", 0, "proof"), lambda v: v[::-1]),
    (("entries", 1), lambda v: {}),
]


@pytest.mark.parametrize(("path", "to"), CHANGES)
def test_a_changed_bundle_does_not_hold(bundle, log_key, path, to):
    with pytest.raises(verifier.Broken):
        verifier.check(changed(bundle, *path, to=to), str(log_key))


def test_a_forger_with_a_key_of_his_own_is_found_by_the_right_key(bundle, log_key):
    """The whole bundle made anew over a changed entry: it fits itself, not the log's key."""
    entry = {**bundle["entries"][0], "index": 0, "proof": []}
    entry["core"] = entry["core"].replace("acme", "acne")
    digest = chain.entry_hash(bytes.fromhex(entry["prev"]), entry["core"].encode())
    forger = Signer(log_key.name, bytes(32))
    note = forger.sign(Checkpoint(log_key.name, 1, merkle.leaf_hash(digest)).text)
    forged = {**bundle, "key": str(forger.key), "checkpoint": str(note), "entries": [entry]}
    assert any("ANYBODY" in line for line in verifier.check(forged))
    with pytest.raises(verifier.Broken):
        verifier.check(forged, str(log_key))


def test_a_named_witness_must_have_signed(bundle, log_key, tmp_path, clock):
    watching = Witness(tmp_path / "w", name="w.example/1", log=log_key, clock=clock)
    with pytest.raises(verifier.Broken, match=r"not signed by w\.example/1"):
        verifier.check(bundle, str(log_key), [str(watching.key)])
    line = watching.add(f"old 0\n\n{bundle['checkpoint']}").text
    signed = {**bundle, "checkpoint": bundle["checkpoint"] + line}
    told = verifier.check(signed, str(log_key), [str(watching.key)])
    assert any("witnessed   by w.example/1 at 2" in text for text in told)
    with pytest.raises(verifier.Broken, match="not that of a witness"):
        verifier.check(signed, str(log_key), [str(log_key)])


def test_every_place_of_the_tree_can_be_proved(filled, sequencer, log_key):
    sequencer().round()
    kinds = set()
    for index in range(30):
        bundle = prove_at(filled, index, log_key)
        assert bundle["entries"][0]["index"] == index
        verifier.check(bundle, str(log_key))
        kinds.add(json.loads(bundle["entries"][0]["core"])["kind"])
    assert kinds == {"chain.opened", "exchange.opened", "exchange.closed", "chain.closed"}
    assert prove_at(filled, 30, log_key) is None


def test_the_owner_of_the_key_gets_his_own_and_nobody_elses(filled, sequencer, log_key):
    with pytest.raises(Unplaced):
        prove(filled, "00000005-exchange", log_key)
    sequencer().round()
    mine = prove_own(filled, "00000005-exchange", "abcdefghij", log_key)
    verifier.check(mine, str(log_key))
    assert prove_own(filled, "00000005-exchange", "other", log_key) is None
    assert prove(filled, "nothing", log_key) is None
