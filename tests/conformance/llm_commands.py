"""Runs several commands of `llm` in one process, for starting it takes longer than what it does.

Standard input lists their arguments; what each printed, and its exit code, is printed as JSON.
"""

from __future__ import annotations

import json
import sys

from click.testing import CliRunner
from llm.cli import cli


def main() -> None:
    results = [CliRunner().invoke(cli, arguments) for arguments in json.load(sys.stdin)]
    told = [
        {"printed": done.stdout.strip(), "complained": done.stderr, "code": done.exit_code}
        for done in results
    ]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
