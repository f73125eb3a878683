from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

from gateway.server.supervisor import Supervisor


def work(number: int, sock: socket.socket, folder: str) -> None:
    """Says who it is; the first one dies of itself, all others wait to be ended."""
    mark = Path(folder) / f"{number}-{os.getpid()}"
    mark.write_text(str(sock.getsockname()[1]))
    if number == 0 and len(list(Path(folder).glob("0-*"))) == 1:
        os._exit(3)
    signal.sigwait([signal.SIGTERM])


def test_a_process_that_dies_is_replaced_and_all_are_ended(tmp_path: Path) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    port = str(sock.getsockname()[1])
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop_when_replaced() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and (
            len(list(tmp_path.glob("0-*"))) < 2 or not list(tmp_path.glob("1-*"))
        ):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=stop_when_replaced)
    watcher.start()
    try:
        code = Supervisor(work, sock, 2, str(tmp_path)).run()
    finally:
        watcher.join()
        for number, handler in kept.items():
            signal.signal(number, handler)
        sock.close()
    assert len(list(tmp_path.glob("0-*"))) == 2
    assert {p.read_text() for p in tmp_path.iterdir()} == {port}
    assert code == 0
