"""Every exception of our own.

    GatewayError
    ├── ConfigError          a setting, catalogue, policy or pack cannot be used (says where)
    ├── Refused              this request stops here, with a refusal for the caller
    │   ├── Detoured         here: a rule sends it elsewhere, where it may go on
    │   ├── Unreadable       its body does not follow its dialect
    │   └── ShelfUnavailable what upstreams keep cannot be looked up or noted down
    ├── RecordUnavailable    the audit log cannot make an entry durable
    ├── StickingUnavailable  of what class earlier turns were cannot be looked up or noted down
    └── UpstreamError        the backend could not be reached or broke off
        ├── UpstreamTimeout  it did not answer in time
        └── CircuitOpen      it failed so often that it is not asked for a while

A policy block is an answer, not an exception to the caller: `Refused` is raised where a
request cannot go on and caught once, in the pipeline.
"""

from __future__ import annotations

from gateway.core.judgement import Refusal
from gateway.core.targets import Target


class GatewayError(Exception):
    """Root of the tree."""


class ConfigError(GatewayError):
    """Something the operator wrote cannot be used. The message says where and what is known."""


class Refused(GatewayError):
    """This request stops here; `refusal` is what the caller is told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Detoured(Refused):
    """This request may go on elsewhere; `refusal` is what the caller is told where it cannot.

    target: what is true of where it may go.
    """

    def __init__(self, refusal: Refusal, target: Target) -> None:
        super().__init__(refusal)
        self.target = target


class Unreadable(Refused):
    """A body that its dialect cannot read. Says what was expected, never what was sent."""

    def __init__(self, message: str, *, code: str = "unreadable_body", status: int = 400) -> None:
        super().__init__(Refusal(code=code, message=message, status=status))


class ShelfUnavailable(Refused):
    """Whose something is that an upstream keeps cannot be looked up or noted down now."""

    def __init__(self) -> None:
        message = "What is kept upstream cannot be told apart by owner now. Try again shortly."
        super().__init__(Refusal("shelf_unavailable", message, 503, retry_after_s=5))


class RecordUnavailable(GatewayError):
    """No record, no call: the audit log cannot take an entry now."""


class StickingUnavailable(GatewayError):
    """Of what class earlier turns were cannot be looked up or noted down now; policy decides."""


class UpstreamError(GatewayError):
    """The backend could not be reached or broke off in mid-answer.

    unanswered: no byte of an answer came, so the request may be sent again.
    """

    code = "upstream_unreachable"
    status = 502
    retry_after_s: int | None = None

    def __init__(self, text: str, *, unanswered: bool = False) -> None:
        super().__init__(text)
        self.unanswered = unanswered


class UpstreamTimeout(UpstreamError):
    """The backend did not answer, or fell silent, within its deadline."""

    code = "upstream_timeout"
    status = 504


class CircuitOpen(UpstreamError):
    """The backend failed so often that it was not even asked. Nothing was sent."""

    code = "upstream_unavailable"
    status = 503

    def __init__(self, text: str, *, retry_after_s: int) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
