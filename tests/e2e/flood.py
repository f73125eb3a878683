"""Many exchanges at once, from a thread, each with a body of another length."""

from __future__ import annotations

import asyncio
import json
import threading

import aiohttp

from tests.e2e.running import Gateway

STAGGER_S = 0.003


class Flood:
    """Sends `count` requests for these models in turn. Use as a context manager."""

    def __init__(self, gateway: Gateway, models: tuple[str, ...], count: int) -> None:
        self.statuses: list[int] = []
        self._url = f"{gateway.url}/v1/chat/completions"
        self._headers = {"authorization": f"Bearer {gateway.key}"}
        self._models = models
        self._count = count
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    async def _all(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers=self._headers) as session:
            await asyncio.gather(*(self._one(session, i) for i in range(self._count)))

    async def _one(self, session: aiohttp.ClientSession, number: int) -> None:
        model = self._models[number % len(self._models)]
        said = [{"role": "user", "content": "x" * (number + 1)}]
        body = {"model": model, "stream": True, "messages": said}
        await asyncio.sleep(number * STAGGER_S)
        try:
            async with session.post(
                self._url, data=json.dumps(body), headers={"content-type": "application/json"}
            ) as response:
                self.statuses.append(response.status)
                await response.read()
        except aiohttp.ClientError:
            self.statuses.append(0)
