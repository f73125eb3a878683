"""A request that needs a person's approval, from when it comes to when it goes on or does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.core.judgement import Principal, ReviewOrder
from gateway.core.reviews import ReviewState
from gateway.core.standing import ACCEPTANCE_WITHDRAWN, Standing, State
from gateway.review.desk import CannotReview
from gateway.review.queue import Limits
from tests.pipeline.fakes import WHO, Asked, Sink
from tests.review.conftest import AT_ONCE, REVIEWER, SOON, Shop

Within = Callable[..., None]
MAIL = "Tell mia@x.org."


def code(asked: Asked) -> tuple[int, str]:
    return asked.status, asked.error["code"]


def test_a_held_request_goes_nowhere_and_says_where_to_look(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        asked = await one.ask()
        assert code(asked) == (403, "review_required")
        assert f"GET /v1/reviews/{await shop.open()} " in asked.error["message"]
        assert asked.headers["x-should-retry"] == "false"
        assert "retry-after" not in asked.headers
        assert (one.sent, asked.exchange.upstream_called) == ([], False)
        assert shop.kinds == ["review.opened"]

    within(test)


def test_what_needs_no_review_asks_nobody(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        assert (await one.ask("Hello.")).status == 200
        assert (shop.kinds, len(one.sent)) == ([], 1)

    within(test)


def test_what_is_blocked_is_not_reviewed(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica({"EMAIL_ADDRESS": "require_review", "KEY": "block"})
        assert code(await one.ask(f"{MAIL} key-0a1b2c3d")) == (400, "policy_violation")
        assert (shop.kinds, one.sent) == ([], [])

    within(test)


def test_approved_while_it_waits_it_goes_on(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON)
        asking = asyncio.create_task(one.ask())
        review = await shop.opened()
        await one.waits()
        assert one.sent == []
        await shop.desk.approve(REVIEWER, review)
        asked = await asking
        assert (asked.status, len(one.sent)) == (200, 1)
        assert MAIL in one.sent[0].decode()
        assert one.counters.values["reviews_waiting"] == 0
        (closed,) = [e for e in shop.sink.entries if e.kind == "exchange.closed"]
        assert closed.core["review"]["id"] == review
        assert closed.core["review"]["state"] == "approved"

    within(test)


@pytest.mark.parametrize("uses", [1, 2])
def test_sent_again_it_goes_through_as_often_as_approved(within: Within, uses: int) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=replace(AT_ONCE, uses=uses))
        await one.ask()
        first = await shop.open()
        await shop.desk.approve(REVIEWER, first)
        for _ in range(uses):
            assert (await one.ask()).status == 200
        assert code(await one.ask()) == (403, "review_required")
        assert (len(one.sent), await shop.open() != first) == (uses, True)

    within(test)


def test_an_approval_is_for_the_same_request_only(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        await one.ask()
        await shop.desk.approve(REVIEWER, await shop.open())
        for body in ({"text": "Tell max@x.org."}, {"model": "other"}, {"temperature": 0}):
            assert code(await one.ask(**body)) == (403, "review_required")  # type: ignore[arg-type]
        other = shop.replica(order=replace(AT_ONCE, reviewers=(("legal",),)))
        assert code(await other.ask()) == (403, "review_required")
        assert (one.sent, other.sent) == ([], [])

    within(test)


def test_an_approval_expires(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        await one.ask()
        await shop.desk.approve(REVIEWER, await shop.open())
        shop.clock.ahead_ms = 61_000
        assert code(await one.ask()) == (403, "review_required")
        await one.queue.sweep()
        assert shop.kinds == ["review.opened", "review.approved", "review.opened", "review.expired"]
        assert one.sent == []

    within(test)


def test_refused_it_is_told_why_also_when_it_comes_again(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON)
        asking = asyncio.create_task(one.ask())
        await shop.desk.refuse(REVIEWER, await shop.opened(), "Not to this model.")
        for asked in (await asking, await one.ask()):
            assert code(asked) == (403, "review_refused")
            assert "Not to this model." in asked.error["message"]
            assert asked.exchange.outcome == "blocked"
        assert one.sent == []
        shop.clock.ahead_ms = 61_000
        await one.queue.sweep()
        assert shop.texts() == 0

    within(test)


def test_nobody_decides_in_time(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        await one.ask()
        review = await shop.open()
        shop.clock.ahead_ms = 601_000
        with pytest.raises(CannotReview) as caught:
            await shop.desk.approve(REVIEWER, review)
        assert caught.value.status == 409
        await one.queue.sweep()
        await one.queue.sweep()
        assert shop.kinds == ["review.opened", "review.expired"]
        assert shop.texts() == 0
        assert (await shop.desk.read(REVIEWER, review))[0].state is ReviewState.EXPIRED

    within(test)


def test_edited_it_goes_on_with_the_reviewers_text(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON)
        asking = asyncio.create_task(one.ask())
        review = await shop.opened()
        await shop.desk.edit(REVIEWER, review, {"/messages/0/content": "Tell nobody."})
        assert (await asking).status == 200
        assert json.loads(one.sent[0])["messages"][0]["content"] == "Tell nobody."
        assert shop.texts() == 0

    within(test)


def test_an_edit_gets_around_no_block(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica({"EMAIL_ADDRESS": "require_review", "KEY": "block"})
        await one.ask()
        said = {"/messages/0/content": "Use key-0a1b2c3d."}
        await shop.desk.edit(REVIEWER, await shop.open(), said)
        assert code(await one.ask()) == (400, "policy_violation")
        assert one.sent == []

    within(test)


@pytest.mark.parametrize("role", ["reviewer", "legal"])
def test_an_edit_gets_around_no_reviewer(within: Within, role: str) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON)
        asking = asyncio.create_task(one.ask())
        review = await shop.opened()
        # What the edited text is held for.
        one.bundle.order = replace(AT_ONCE, reviewers=((role,),))
        await shop.desk.edit(REVIEWER, review, {"/messages/0/content": "Tell max@x.org."})
        asked = await asking
        if role == "reviewer":
            assert (asked.status, len(one.sent)) == (200, 1)
        else:
            assert code(asked) == (403, "review_required")
            assert (one.sent, shop.kinds.count("review.opened")) == ([], 2)

    within(test)


def test_terms_that_end_while_it_waits_are_not_approved_along(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica({"EMAIL_ADDRESS": "require_review", "TERMS": "block"}, order=SOON)
        asking = asyncio.create_task(one.ask())
        review = await shop.opened()
        one.standing = Standing(states=(State(ACCEPTANCE_WITHDRAWN, "one", "", "Withdrawn."),))
        await shop.desk.approve(REVIEWER, review)
        assert code(await asking) == (400, "policy_violation")
        assert one.sent == []

    within(test)


def test_who_took_too_long_decides_nothing(within: Within) -> None:
    async def test(shop: Shop) -> None:
        await shop.replica().ask()
        info = shop.store.get(await shop.open())
        assert info is not None
        slow = shop.store.take(info.id)
        shop.clock.ahead_ms = 31_000
        quick = shop.store.take(info.id)
        assert slow is not None
        assert quick is not None
        shop.store.give_back(info.id, slow)
        refused, approved = ReviewState.REFUSED, ReviewState.APPROVED
        assert not shop.store.decide(info, refused, "slow", {}, taken_ms=slow)
        assert shop.store.decide(info, approved, "quick", {}, taken_ms=quick)

    within(test)


def test_a_text_whose_line_ends_a_page_made_others_is_no_edit(within: Within) -> None:
    async def test(shop: Shop) -> None:
        await shop.replica().ask("Tell\r\nmia@x.org.")
        review = await shop.open()
        with pytest.raises(CannotReview):
            await shop.desk.edit(REVIEWER, review, {"/messages/0/content": "Tell\nmia@x.org."})

    within(test)


def test_what_other_rules_take_out_is_neither_shown_nor_sent(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica({"REQUEST": "require_review", "EMAIL_ADDRESS": "pseudonymise"})
        await one.ask()
        review = await shop.open()
        _, said = await shop.desk.read(REVIEWER, review)
        assert said is not None
        (text,) = said["texts"]
        (mark,) = text["marks"]
        shown = text["text"]
        assert "mia" not in shown
        assert shown[mark["start"] : mark["end"]].startswith("EMAIL_")
        assert mark["actions"] == {"test/r": "pseudonymise"}
        # The placeholder stands for the same when the edited request is judged anew.
        await shop.desk.edit(REVIEWER, review, {text["path"]: shown.replace("Tell", "Ask")})
        one.backend.pieces = (ANSWERING % json.dumps(shown).encode(),)
        asked = await one.ask()
        assert json.loads(one.sent[0])["messages"][0]["content"] == shown.replace("Tell", "Ask")
        assert "mia@x.org" in asked.body.decode()

    within(test)


ANSWERING = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": %s}}]}'


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (replace(REVIEWER, key_id=WHO.key_id), 403),
        (replace(REVIEWER, name=f" {WHO.name.upper()}"), 403),
        (replace(REVIEWER, roles=("admin",)), 404),
        (replace(REVIEWER, roles=()), 404),
        (replace(REVIEWER, tenant="other"), 404),
        (replace(REVIEWER, tenant="other", roles=("reviewer", "admin")), 0),
    ],
)
def test_who_may_decide(within: Within, who: Principal, status: int) -> None:
    async def test(shop: Shop) -> None:
        await shop.replica().ask()
        review = await shop.open()
        if not status:
            await shop.desk.approve(who, review)
            return
        for decide in (
            shop.desk.approve(who, review),
            shop.desk.refuse(who, review, "No."),
            shop.desk.edit(who, review, {"/messages/0/content": "x"}),
        ):
            with pytest.raises(CannotReview) as caught:
                await decide
            assert caught.value.status == status
        assert shop.kinds == ["review.opened"]

    within(test)


def test_only_one_of_many_decides(within: Within) -> None:
    async def test(shop: Shop) -> None:
        await shop.replica().ask()
        review = await shop.open()
        done = await asyncio.gather(
            *(shop.desk.approve(REVIEWER, review) for _ in range(4)),
            *(shop.desk.refuse(REVIEWER, review, "No.") for _ in range(4)),
            return_exceptions=True,
        )
        assert sum(not isinstance(each, CannotReview) for each in done) == 1
        assert len(shop.kinds) == 2

    within(test)


def test_only_one_of_many_uses_an_approval(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one, two = shop.replica(), shop.replica()
        await one.ask()
        await shop.desk.approve(REVIEWER, await shop.open())
        asked = await asyncio.gather(*(each.ask() for each in (one, two) * 4))
        assert sorted(each.status for each in asked) == [200, *[403] * 7]
        assert len(one.sent) + len(two.sent) == 1

    within(test)


def test_all_replicas_wait_for_one_review(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one, two = shop.replica(order=SOON), shop.replica(order=SOON)
        order = replace(SOON, uses=2)
        one.bundle.order = two.bundle.order = order
        asking = [asyncio.create_task(each.ask()) for each in (one, two)]
        review = await shop.opened()
        await shop.desk.approve(REVIEWER, review)
        assert [(await each).status for each in asking] == [200, 200]
        assert shop.kinds == ["review.opened", "review.approved"]

    within(test)


def test_a_client_that_leaves_leaves_its_review(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON)
        asking = asyncio.create_task(one.ask())
        review = await shop.opened()
        await one.waits()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert one.counters.values["reviews_waiting"] == 0
        await shop.desk.approve(REVIEWER, review)
        assert one.sent == []
        assert (await one.ask()).status == 200

    within(test)


@pytest.mark.parametrize("limits", [Limits(waiting=1), Limits(waiting_tenant=1)])
def test_beyond_the_limit_a_caller_is_told_at_once(within: Within, limits: Limits) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(order=SOON, limits=limits)
        asking = asyncio.create_task(one.ask())
        await one.waits()
        assert code(await one.ask("Tell max@x.org.")) == (403, "review_required")
        assert not asking.done()
        one.queue.release()
        assert code(await asking) == (403, "review_required")

    within(test)


def test_too_many_reviews_are_not_opened(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica(limits=Limits(open_tenant=1))
        await one.ask()
        assert code(await one.ask("Tell max@x.org.")) == (403, "review_queue_full")
        assert code(await one.ask()) == (403, "review_required")

    within(test)


def test_without_a_record_there_is_no_review_and_no_decision(within: Within) -> None:
    async def test(shop: Shop) -> None:
        # The entry that opens the exchange is taken, that of its review is not.
        one = shop.replica(sink=Sink(broken_from=1))
        assert (await one.ask()).status == 503
        assert shop.texts() == 0
        two = shop.replica()
        await two.ask()
        review = await shop.open()
        shop.sink.broken_from = 0
        with pytest.raises(CannotReview) as caught:
            await shop.desk.approve(REVIEWER, review)
        assert caught.value.status == 503
        assert await shop.open() == review

    within(test)


def test_what_was_said_is_nowhere_on_record(within: Within) -> None:
    async def test(shop: Shop) -> None:
        one = shop.replica()
        await one.ask()
        review = await shop.open()
        await shop.desk.read(REVIEWER, review)
        await shop.desk.refuse(REVIEWER, review, "Because of Mia.")
        told = json.dumps([entry.core for entry in shop.sink.entries])
        assert "mia" not in told.lower()
        read, refused = shop.sink.entries[-2:]
        assert (read.kind, refused.kind) == ("review.read", "review.refused")
        assert (read.key_id, refused.core["review"]) == (REVIEWER.key_id, review)

    within(test)


def test_rules_together_want_the_shortest_and_every_reviewer(within: Within) -> None:
    order = ReviewOrder(5, 100, 90, 3, (("b",), ("a", "c")))

    async def test(shop: Shop) -> None:
        one = shop.replica(order=replace(order, wait_s=0))
        await one.ask()
        for roles, fits in ((("a",), 0), (("b",), 0), (("a", "b"), 1), (("b", "c"), 1)):
            found, _ = await shop.desk.listing(replace(REVIEWER, roles=roles), list(ReviewState))
            assert len(found) == fits

    within(test)
