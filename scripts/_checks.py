"""What a try looks at and finds, as lines for people and as an exit code."""


class Checks:
    """What was looked at, and whether it holds."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool]] = []
        self._absent: list[str] = []

    def hold(self, what: str, holds: object) -> None:
        """Note one check."""
        self.found.append((what, bool(holds)))

    def absent(self, what: str) -> None:
        """Note what could not be looked at, and why. It counts neither way."""
        self._absent.append(what)

    def report(self) -> int:
        """Print them all. Returns the exit code: 0 only if all hold."""
        print()
        for what, holds in self.found:
            print(f"  {'ok    ' if holds else 'FAILED'}  {what}")
        for what in self._absent:
            print(f"  n/a     {what}")
        held = sum(holds for _, holds in self.found)
        print(f"\n{held} of {len(self.found)} checks hold.")
        return 0 if held == len(self.found) else 1


def fact(name: str, text: str) -> None:
    """One line of the report."""
    print(f"{name:<9} {' '.join(text.split())}", flush=True)
