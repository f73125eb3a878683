"""Replays recorded exchanges and says what does not hold. See `scripts/replay`.

Held for each exchange:
  bytes    under a policy that changes nothing, upstream and client get the recorded bytes,
           also when a stream is cut elsewhere
  fields   each JSON string is judged, or its place is declared not to be text, with a reason
  leaks    canaries planted in every judged string do not come out, of neither side, under
           `strict` and under a policy that redacts all that `strict` blocks
  types    what the vendor's SDK could parse before, it can parse after redaction
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from _manifests import Fields
from _recordings import (
    Canaries,
    Recording,
    answering,
    cut,
    multipart_type,
    read,
    strings,
    values,
    with_planted,
)
from _stage import Outcome, Stage
from _vendor_types import misfit

from gateway.core.message import Direction
from gateway.settings import shipped

STAND_IN = b'{"model":"m","max_tokens":1,"messages":[],"input":"","contents":[]}'
RANDOM_SPLITS = 4
EVERY_BYTE = 4_000

NOTHING = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: nothing, version: "1"}
spec:
  streaming: window
  rules:
    - {id: all, when: {categories: ["*"]}, then: flag, reason: SEEN}
"""


def policies() -> dict[str, str]:
    """Policies by name: one that changes nothing, `strict`, and `strict` without its blocks."""
    strict = (shipped("policies") / "strict.yaml").read_text(encoding="utf-8")
    mild = yaml.safe_load(strict)
    mild["metadata"]["name"] = "mild"
    mild["spec"].pop("examples", None)
    for rule in mild["spec"]["rules"]:
        if rule["then"] == "block":
            no_text = {"OPAQUE", "STATE", "TERMS"} & set(rule["when"].get("categories", ()))
            rule["then"] = "flag" if no_text else "redact"
            rule.pop("message", None)
    return {"nothing": NOTHING, "strict": strict, "mild": yaml.safe_dump(mild)}


class Replay:
    """Checks recordings one by one and keeps count."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._stage = stage
        self._random = random.Random(seed)
        self._fields: dict[str, Fields] = {}

    async def check(self, recording: Recording) -> None:
        """All that must hold for one exchange."""
        self.counts["exchanges"] += 1
        self.counts["streams"] += recording.streamed
        dialect = self._stage.match(recording).dialect
        self.counts[f"as {dialect.name}"] += 1
        if dialect.name not in self._fields:
            self._fields[dialect.name] = Fields(dialect.manifest())
        fields = self._fields[dialect.name]
        if not recording.request and recording.method == "POST":
            self.counts["requests missing"] += 1
            recording = replace(recording, request=STAND_IN)
        await self._bytes(recording)
        self._declared(recording, fields)
        await self._leaks(recording, fields, dialect.name)

    async def _bytes(self, recording: Recording) -> None:
        for pieces in self._cuts(recording):
            got = await self._stage.ask(recording, pieces, "nothing")
            wanted = Outcome([recording.request], recording.status, recording.response)
            self._hold(recording, "bytes", got == wanted, _difference(got, wanted))

    def _cuts(self, recording: Recording) -> list[list[bytes]]:
        data = recording.response
        out = [[data]]
        if recording.streamed and data:
            count = min(len(data) - 1, 40)
            out += [
                cut(data, sorted(self._random.sample(range(1, len(data)), count)))
                for _ in range(RANDOM_SPLITS)
            ]
            if len(data) <= EVERY_BYTE:
                out.append(cut(data, list(range(1, len(data)))))
        return out

    def _declared(self, recording: Recording, fields: Fields) -> None:
        sides = (
            (Direction.REQUEST, recording.request, "application/json"),
            (Direction.RESPONSE, recording.response, recording.content_type),
        )
        for direction, body, kind in sides:
            for value in values(body, kind):
                for path, text in strings(value):
                    self.counts["strings"] += bool(text)
                    self.counts["judged"] += bool(text) and fields.judged(direction, path)

    async def _leaks(self, recording: Recording, fields: Fields, dialect: str) -> None:
        canaries = Canaries()

        def plant_in(direction: Direction):  # type: ignore[no-untyped-def]
            return lambda path, text: (
                canaries.plant(text) if text and fields.judged(direction, path) else text
            )

        request = recording.request
        if not multipart_type(request):
            request = with_planted(request, "application/json", plant_in(Direction.REQUEST))
        planted = canaries.count
        response = with_planted(
            recording.response, recording.content_type, plant_in(Direction.RESPONSE)
        )
        self.counts["canaries"] += canaries.count
        for policy in ("strict", "mild"):
            asked = replace(recording, request=request)
            got = await self._stage.ask(asked, [recording.response], policy)
            leaked = any(Canaries.seen(body) for body in got.sent) or Canaries.seen(got.body)
            self._hold(recording, f"leaks ({policy}, request)", not leaked, f"{planted} planted")
            self.counts[f"reached upstream ({policy})"] += bool(got.sent)
            answered = answering(recording, response)
            for pieces in self._cuts(answered)[:2]:
                got = await self._stage.ask(answered, pieces, policy)
                leak = _around(got.body)
                self._hold(recording, f"leaks ({policy}, answer)", not leak, leak)
        await self._types(recording, dialect)

    async def _types(self, recording: Recording, dialect: str) -> None:
        # Only into what somebody wrote: words of the API's own, and what it signed or encrypted,
        # are not to be tampered with.
        written = Canaries()
        response = with_planted(
            recording.response,
            recording.content_type,
            lambda path, text: written.plant(text) if " " in text else text,
        )
        got = await self._stage.ask(answering(recording, response), [response], "mild")
        if got.status >= 300:
            return
        for body, name in ((recording.response, "before"), (got.body, "after")):
            found = values(body, recording.content_type)
            wrong = misfit(dialect, found, stream=recording.streamed)
            if wrong is None:
                return
            if name == "before" and wrong:
                self.counts["not of the SDK's types as recorded"] += 1
                return
            self._hold(recording, "types", not wrong, wrong)
        self.counts["parsed by the SDK's types"] += 1

    def _hold(self, recording: Recording, what: str, ok: bool, why: str) -> None:
        self.counts["checks"] += 1
        if not ok:
            self.failures.append(f"line {recording.line}: {recording.path[:70]}: {what}: {why}")


def _difference(got: Outcome, wanted: Outcome) -> str:
    if got.status != wanted.status:
        return f"status {got.status} instead of {wanted.status}"
    if got.sent != wanted.sent:
        return f"the upstream got {len(got.sent)} bodies that differ from the recorded one"
    at = next((i for i, (a, b) in enumerate(zip(got.body, wanted.body, strict=False)) if a != b), 0)
    return f"the client got {len(got.body)} of {len(wanted.body)} bytes, different from byte {at}"


def _around(body: bytes) -> str:
    """What stands around a canary that came out; empty if none did."""
    at = body.find(b"canary.")
    return body[max(0, at - 120) : at + 40].decode("utf-8", "replace") if at >= 0 else ""


async def main(files: Sequence[Path], given: Mapping[str, str], *, seed: int) -> int:
    """Replay every file under the given policies; returns how many checks failed."""
    failed = 0
    async with Stage(given) as stage:
        for file in files:
            replay = Replay(stage, seed)
            for recording in read(file):
                await replay.check(recording)
            failed += len(replay.failures)
            told = ", ".join(f"{v} {k}" for k, v in replay.counts.items())
            print(f"{'ok  ' if not replay.failures else 'FAIL'} {file.name}: {told}", flush=True)
            for failure in replay.failures[:20]:
                print(f"     {failure}")
            if len(replay.failures) > 20:
                print(f"     and {len(replay.failures) - 20} more")
    print(f"{failed} checks failed" if failed else "all checks hold")
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Replay recorded exchanges.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--seed", type=int, default=7, help="for the random splits")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    found = sorted(f for f in asked.folder.glob("*.jsonl*") if asked.only in f.name)
    sys.exit(min(1, asyncio.run(main(found, policies(), seed=asked.seed))))
