"""Clients that keep a gateway busy while something crashes."""

from __future__ import annotations

import itertools
import threading
import time

import httpx

from tests.e2e.running import Gateway
from tests.e2e.upstream import Upstream

LANES = 6
_models = itertools.count(1)


class Load:
    """Clients that ask without pause, unary and streamed, each time for a model of its own."""

    def __init__(self, gateway: Gateway, upstream: Upstream) -> None:
        self.whole: set[str] = set()
        self.asked = 0
        self._gateway = gateway
        self._upstream = upstream
        self._stop = threading.Event()
        self._lanes = [threading.Thread(target=self._lane, args=(i,)) for i in range(LANES)]

    def __enter__(self) -> Load:
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for lane in self._lanes:
            lane.join(60)

    def _lane(self, number: int) -> None:
        headers = {"authorization": f"Bearer {self._gateway.key}"}
        with httpx.Client(timeout=20, trust_env=False, headers=headers) as client:
            while not self._stop.is_set():
                model = f"up-echo-{next(_models)}"
                self.asked += 1
                try:
                    if self._ask(client, model, stream=number % 2 == 0):
                        self.whole.add(model)
                    else:
                        time.sleep(0.05)
                except httpx.HTTPError:
                    time.sleep(0.1)

    def _ask(self, client: httpx.Client, model: str, *, stream: bool) -> bool:
        said = [{"role": "user", "content": "Hello there."}]
        body = {"model": model, "stream": stream, "messages": said}
        answer = client.post(f"{self._gateway.url}/v1/chat/completions", json=body)
        return answer.status_code == 200 and (not stream or "data: [DONE]" in answer.text)
