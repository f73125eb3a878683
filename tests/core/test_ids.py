from __future__ import annotations

import os
import time
import uuid

from gateway.core.ids import new_id


def test_ids_are_uuids_of_version_7() -> None:
    value = uuid.UUID(new_id())
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_ids_sort_by_time() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert abs((uuid.UUID(ids[-1]).int >> 80) - time.time() * 1000) < 5_000


def test_ids_are_all_different() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_child_process_does_not_share_what_was_drawn_before_it() -> None:
    new_id()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 36).decode()
    assert theirs[14:] not in {new_id()[14:] for _ in range(300)}
