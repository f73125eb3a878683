"""A detector for tests: it does what the text tells it to do."""

import os
import time

from gateway.core.errors import ConfigError
from gateway.core.judgement import Finding
from gateway.core.ports import Trigger

_HELD = []


def build(options):
    return Fake(options)


class Fake:
    name = "fake"
    version = "1"
    categories = frozenset({"FIRE"})

    def __init__(self, options):
        self.options = options
        if "least" in options:
            self.thresholds = {"FIRE": options["least"]}

    def load(self):
        if self.options.get("broken"):
            raise ConfigError("the fake model is not installed")
        if self.options.get("dies"):
            os._exit(3)
        return None if self.options.get("model") else [Trigger("fire", "fire", 4)]

    def detect(self, texts, hints):
        return [self._one(text) for text in texts]

    def _one(self, text):
        if "sleep" in text:
            time.sleep(30)
        if "nap" in text:
            time.sleep(0.15)
        if "die" in text:
            os._exit(1)
        if "raise" in text:
            raise RuntimeError(text)
        if "nonsense" in text:
            return [Finding("fake", "FIRE", 0, len(text) + 1, 1.0)]
        if "grow" in text:
            _HELD.append(bytearray(os.urandom(1024)) * 64 * 1024)
        out, at = [], text.find("fire")
        while at >= 0:
            out.append(Finding("fake", "FIRE", at, at + 4, 0.5))
            at = text.find("fire", at + 1)
        return out
