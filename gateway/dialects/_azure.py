"""What Azure's deployments have of their own: where the model stands, and how a filter speaks.

Bodies are OpenAI's. From Microsoft's pages on content filtering and the REST reference, 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.apis import Reply
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse_object
from gateway.core.judgement import Refusal, Route
from gateway.core.message import Edit, Message
from gateway.core.splice import insert_member, splice_json
from gateway.dialects._api import JsonApi, step
from gateway.dialects._counted import counted
from gateway.dialects._openai import error_body, error_reply

_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?|v1|preview|latest")


class DeploymentApi(JsonApi):
    """An operation of OpenAI's at a deployment. The deployment is the model's name here.

    served: where OpenAI itself serves it: backends are told that path.
    """

    served: str
    names_model = False

    def read(self, call: Call) -> Message:
        """A request. Which version of the API it asks for is the backend's business."""
        rest = tuple(pair for pair in call.query if not _is_version(*pair))
        return super().read(replace(call, query=rest))

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The deployment. A body may name a model too; it has no say."""
        if not isinstance(value.get("model", ""), str):
            raise Unreadable("'model' must be a string, or left out.")
        return step(call, "deployment")

    def path_of(self, call: Call) -> str:
        """Where OpenAI serves it."""
        return self.served

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The body with edits made, and the upstream's model in it: other backends need it."""
        named = parse_object(message.body).get("model")
        if named is not None and named != route.upstream_model:
            edits = {**edits, "/model": [Edit(0, len(named), route.upstream_model)]}
        body = counted(splice_json(message.body, edits), message, route)
        return body if named is not None else insert_member(body, "model", route.upstream_model)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte: a rule's as that of Azure's own filter."""
        reply = error_reply(refusal, exchange_id)
        body = reply.body
        if refusal.rule:
            value = error_body(refusal, exchange_id, param="prompt")
            inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": told(refusal)}
            value["error"] |= {
                "type": None,
                "code": "content_filter",
                "status": refusal.status,
                "innererror": inner,
            }
            body = json.dumps(value, ensure_ascii=False).encode()
        return Reply(reply.status, {**reply.headers, "apim-request-id": exchange_id}, body)


def _is_version(key: str, value: str) -> bool:
    return key == "api-version" and _VERSION.fullmatch(value) is not None


def told(refusal: Refusal) -> dict[str, Any]:
    """A rule as one of the blocklists that a resource's owner may write for Azure's filter."""
    entry = {"filtered": True, "id": f"{refusal.policy}/{refusal.rule}"}
    return {"custom_blocklists": {"filtered": True, "details": [entry]}}


def filtered(reply: Reply, refusal: Refusal) -> Reply:
    """An answer that was withheld, with the results of the filter beside each choice."""
    return Reply(reply.status, reply.headers, _told(reply.body, refusal))


def filtered_events(events: bytes, refusal: Refusal) -> bytes:
    """The last events of a stream, the same way."""
    out = []
    for event in events.split(b"\n\n"):
        data = event.removeprefix(b"data: ")
        out.append(b"data: " + _told(data, refusal) if data.startswith(b"{") else event)
    return b"\n\n".join(out)


def _told(body: bytes, refusal: Refusal) -> bytes:
    value = json.loads(body)
    if not refusal.rule or "choices" not in value:
        return body
    for choice in value["choices"]:
        choice["content_filter_results"] = told(refusal)
    return json.dumps(value, ensure_ascii=False).encode()
