"""The way out: judge the answer as it arrives, release what may leave, restore, label."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from gateway.core.apis import Answer, Dialect, Reader, Reply
from gateway.core.errors import ShelfUnavailable, UpstreamError
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import AWAY, Refusal
from gateway.core.message import ALL, Direction, Message
from gateway.pipeline.answer import Release
from gateway.pipeline.classing import CONVERSATION, Classing
from gateway.pipeline.guard import Guard
from gateway.pipeline.house import House
from gateway.pipeline.lasting import Lasting
from gateway.pipeline.request import Judged, assessing, context
from gateway.pipeline.shadow import listening
from gateway.pipeline.shapes import shapes_of

MODEL_CHARS = 128
UPSTREAM_WORDS = {
    "upstream_unreachable": "The model's backend could not be reached, or broke off.",
    "upstream_timeout": "The model's backend did not answer in time.",
    "upstream_unavailable": "The model's backend failed too often lately, so it was not asked.",
}
# Headers of the upstream's that a client may need, in a form in which they say little: headers
# are not judged.
_PASSED = re.compile(
    r"retry-after(-ms)?|x-should-retry|(x|anthropic)-ratelimit-[a-z0-9-]+|x-ms-region|"
    r"openai-(processing-ms|version|model)|apim-request-id"
)
_FORM = re.compile(r"(?!.*\d{13})[A-Za-z0-9 .,:;=/_+%-]{0,128}", re.ASCII)
_MEDIA = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}( ?; ?charset=\"?[\w-]{1,20}\"?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of the answer; always the first thing an exchange yields.

    ping: an event that may be sent while nothing else is; empty if there is none.
    """

    status: int
    headers: Mapping[str, str]
    ping: bytes = b""


async def deliver(
    exchange: Exchange, judged: Judged, answer: Answer, dialect: Dialect, house: House
) -> AsyncGenerator[Head | bytes, None]:
    """The judged answer. Its head waits for the first bytes that may leave.

    Raises UpstreamError only before the head; later the stream gets its dialect's last words.
    """
    content_type = answer.headers.get("content-type", "")
    reader = dialect.reader(_asked(judged), status=answer.status, content_type=content_type)
    answers = context(exchange, Direction.RESPONSE, judged.message, judged.route)
    side = exchange.response
    classing = Classing(house.classes(), None)
    lasting = Lasting(exchange, judged, classing, house)
    guard = Guard(
        judged.bundle.bind(answers),
        house.inspector,
        house.actions,
        judged.vault,
        side,
        following=house.following,
        said=judged.message.parts,
        restore=judged.route.restore,
        assessing=assessing(
            answers,
            judged.bundle,
            house,
            exchange=exchange,
            vault=judged.vault,
            before=judged.asked,
        ),
        classing=classing,
        listening=listening(exchange, answers, house, side, judged.message.parts),
        answered=lasting.answered,
        quiet=house.quiet(exchange.principal.tenant),
    )
    guard.announce("ANSWER")
    notice = answer.status < 300 and not judged.message.json_output
    release = Release(guard, reader, shapes_of(dialect), notice=notice)
    seal = hashlib.sha256()
    headed = False
    last = b""
    exchange.outcome = Outcome.COMPLETED if answer.status < 400 else Outcome.UPSTREAM_ERROR
    exchange.status = answer.status
    try:
        async for out in _released(exchange, answer, reader, release, lasting, house):
            if not headed:
                headed = True
                whole = None if reader.streamed else len(out)
                headers = _headers(exchange, answer, dialect, house, size=whole)
                yield Head(answer.status, headers, reader.ping)
            if out:
                side.bytes += len(out)
                seal.update(out)
                yield out
    except (UpstreamError, ShelfUnavailable) as err:
        if not headed:
            raise
        last = reader.broken(_broke(exchange, err), exchange.id)
        exchange.cut_off = not last
    finally:
        exchange.usage = dict(reader.usage) if dialect.spends else {}
        exchange.restored = judged.vault.restored
        lasting.end(guard.notices)
        side.digest = house.seal(exchange.principal.tenant, seal.digest())
    if guard.refusal is not None:
        refused(exchange, guard.refusal)
        if headed:
            last = reader.stop(guard.refusal, exchange.id, release.ended)
        else:
            # The upstream has done its work: nobody is to ask it again unasked.
            exchange.ends = True
            withheld = reader.withhold(replace(guard.refusal, retry_after_s=None), exchange.id)
            for piece in reply(exchange, withheld, house):
                yield piece
    if last:
        exchange.ends = True
        side.bytes += len(last)
        seal.update(last)
        side.digest = house.seal(exchange.principal.tenant, seal.digest())
        yield last


def _asked(judged: Judged) -> Message:
    """The request as its answer is to be read: only what we asked for ourselves is kept back."""
    message = judged.message
    if message.uncounted and not judged.route.counts:
        return replace(message, uncounted=False)
    return message


def refused(exchange: Exchange, refusal: Refusal) -> None:
    """Note in the exchange that it was stopped, and by which rule."""
    exchange.refusal = refusal
    exchange.outcome = Outcome.BLOCKED if refusal.rule else Outcome.REFUSED


def _broke(exchange: Exchange, err: UpstreamError | ShelfUnavailable) -> str:
    """Note in the exchange that its answer broke off; what its client is told."""
    if isinstance(err, ShelfUnavailable):
        refused(exchange, err.refusal)
        return err.refusal.message
    exchange.outcome, exchange.error = Outcome.UPSTREAM_ERROR, err.code
    return UPSTREAM_WORDS[err.code]


def reply(exchange: Exchange, answer: Reply, house: House) -> list[Head | bytes]:
    """A whole answer of our own, labelled as every answer is."""
    exchange.status = answer.status
    exchange.response.bytes = len(answer.body)
    exchange.response.digest = house.seal(
        exchange.principal.tenant, hashlib.sha256(answer.body).digest()
    )
    headers = {**answer.headers, **house.labels(exchange)}
    headers["content-length"] = str(len(answer.body))
    return [Head(answer.status, headers), answer.body]


def _headers(
    exchange: Exchange, answer: Answer, dialect: Dialect, house: House, *, size: int | None
) -> dict[str, str]:
    headers = {k: v for k, v in answer.headers.items() if _may_pass(k, v)}
    name = dialect.id_header
    if name in answer.headers:
        headers["x-upstream-request-id"] = answer.headers[name]
    headers[name] = exchange.id
    if "text/event-stream" in headers.get("content-type", ""):
        headers["cache-control"] = "no-cache"
        headers["x-accel-buffering"] = "no"
    if size is not None:
        headers["content-length"] = str(size)
    headers.update(house.labels(exchange))
    return headers


def _may_pass(name: str, value: str) -> bool:
    if name == "content-type":
        return _MEDIA.fullmatch(value) is not None
    return _PASSED.fullmatch(name) is not None and _FORM.fullmatch(value) is not None


async def _released(
    exchange: Exchange,
    answer: Answer,
    reader: Reader,
    release: Release,
    lasting: Lasting,
    house: House,
) -> AsyncGenerator[bytes, None]:
    """What may leave, as it may leave; at the end once more, if only to say that it ended.

    Stops early if the guard refuses.
    """
    final = exchange.counted = False
    body = aiter(answer.body)
    ahead: bytes | None = None
    while not final:
        data = await anext(body, None) if ahead is None else ahead
        ahead = await anext(body, None) if data is not None and answer.exhausted() else None
        final = data is None or (ahead is None and answer.exhausted())
        frames = [] if data is None else reader.feed(data)
        if final:
            frames += reader.flush()
        if not frames and not final:
            continue
        if reader.kept:
            await _keep(exchange, answer, reader, lasting, house)
        began = house.clock.monotonic_ms()
        out = await release.feed(frames, final=final)
        exchange.judged_ms += house.clock.monotonic_ms() - began
        exchange.answer_model = reader.model[:MODEL_CHARS]
        if reader.failed:
            exchange.outcome, exchange.error = Outcome.UPSTREAM_ERROR, "upstream_error_event"
        exchange.counted = not reader.failed and (final or ALL in release.ended)
        if release.refused:
            return
        ends = final or ALL in release.ended
        if ends:
            lasting.end(release.notices)
        unsure = (out or final) and not await lasting.durable()
        if unsure and not release.passes(CONVERSATION, AWAY):
            return
        exchange.ends = ends
        if out or final:
            yield out


async def _keep(
    exchange: Exchange, answer: Answer, reader: Reader, lasting: Lasting, house: House
) -> None:
    """Note whose that is what the upstream keeps, before its id can be told to anybody."""
    ids, reader.kept = reader.kept, []
    if answer.status < 300 and exchange.route is not None:
        lasting.kept(ids)
        model = exchange.route.model
        await house.shelf.put(exchange.principal.tenant, ids, model=model)
