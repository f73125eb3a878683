"""What a gateway that has just started says: what runs, how to try it, what to do next."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape

from gateway import __version__, backends, catalogue
from gateway.admin.ports import ModelSummary, model_summaries
from gateway.cli._output import console
from gateway.cli._ports import reachable
from gateway.cli._quickstart import FirstKey
from gateway.settings import Settings

_SAMPLE = "Write to jane.roe@example.com about card 4111 1111 1111 1111."


def base_url(settings: Settings) -> str:
    """What an OpenAI client takes as its base URL."""
    return f"http://{_reachable(settings.host)}:{settings.port}/v1"


def admin_url(settings: Settings) -> str:
    """Where the admin app is."""
    return f"http://{_reachable(settings.admin_host)}:{settings.admin_port}"


def models(settings: Settings) -> list[ModelSummary]:
    """All entries of the catalogue."""
    return model_summaries(catalogue.read(settings.catalogue_path, backends.kinds()))


def show(settings: Settings, key: FirstKey | None) -> None:
    """Print it all. key: None unless this is a quickstart; only then is a key shown."""
    found = models(settings)
    lines = [*_running(settings, found)]
    if key is not None:
        lines += [*_key(key), *_try(settings, key, found), *_next(settings, key)]
    out = console()
    # At once, for programs that watch; not wrapped, for people who paste.
    out.print("\n".join(lines), soft_wrap=True)
    out.file.flush()


def _running(settings: Settings, found: Sequence[ModelSummary]) -> Iterator[str]:
    yield f"\n[bold green]●[/] [bold]gateway {__version__}[/] is running. Ctrl-C stops it.\n"
    yield f"  [dim]Clients[/]    [bold cyan]{base_url(settings)}[/]"
    yield f"  [dim]Admin app[/]  [bold cyan]{admin_url(settings)}[/]"
    yield f"  [dim]Policy[/]     {escape(', '.join(map(str, settings.policy_paths)))}"
    yield f"  [dim]Catalogue[/]  {escape(str(settings.catalogue_path))}"
    yield f"  [dim]Data[/]       {escape(str(settings.data_dir.absolute()))}"
    yield "\n[bold]Models[/]"
    width = max((len(m.name) for m in found), default=0)
    for model in found:
        name = escape(model.name.ljust(width))
        if model.missing:
            yield f"  [yellow]-[/] [dim]{name}[/]  [yellow]off:[/] {escape(model.missing)}"
        else:
            about = model.description or f"{model.provider}, {model.hosting.replace('_', '-')}"
            yield f"  [green]+[/] [bold]{name}[/]  {escape(about)}"


def _key(key: FirstKey) -> Iterator[str]:
    yield "\n[bold]Your first key[/]"
    path = escape(str(key.path))
    if key.text:
        yield f"  [bold magenta]{key.text}[/]"
        yield f"  [dim]Kept in {path} so that the next start can show it again.[/]"
        key_id = key.text.split("_")[1]
        yield f"  [dim]{_command()} keys revoke {key_id} makes it worthless.[/]"
    else:
        yield f"  There are keys already, and {path} holds none that is valid."
        yield "  Make another one with [bold]gateway keys new NAME[/] and put it in below."


def _try(settings: Settings, key: FirstKey, found: Sequence[ModelSummary]) -> Iterator[str]:
    usable = [m.name for m in found if not m.missing and not set("*?") & set(m.name)]
    model = "echo" if "echo" in usable or not usable else usable[0]
    text = key.text or "gw_YOUR_KEY"
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": _SAMPLE}]})
    yield "\n[bold]Try it[/]  [dim]The echo model answers with what a backend would receive.[/]\n"
    yield f"curl -s {base_url(settings)}/chat/completions \\"
    yield f"  -H 'Authorization: Bearer {text}' \\"
    yield "  -H 'Content-Type: application/json' \\"
    yield escape(f"  -d '{body}'")
    yield "\n[bold]An OpenAI client changes three lines[/]\n"
    yield f'[green]base_url[/]="{base_url(settings)}"'
    yield f'[green]api_key[/]="{text}"'
    yield f'[green]model[/]="{escape(model)}"'
    root = base_url(settings).removesuffix("/v1")
    yield f"\n[dim]Clients of Anthropic, Gemini, Azure and Ollama take {root} and the same key.[/]"


def _next(settings: Settings, key: FirstKey) -> Iterator[str]:
    yield "\n[bold]Next[/]"
    signing_in = "sign in with the key above" if key.text else "sign in with an admin key"
    steps = {
        admin_url(settings): f"see what happened; {signing_in}",
        f"{_command()} audit query": "the record of every exchange",
        f"{_command()} policy explain --text '...'": "why a text is treated as it is",
        f"{_command()} doctor": "what is missing, and how to mend it",
    }
    width = max(map(len, steps))
    for command, what in steps.items():
        yield f"  [cyan]{command.ljust(width)}[/]  {what}"
    yield ""


def _reachable(host: str) -> str:
    host = reachable(host)
    return f"[{host}]" if ":" in host else host


def _command() -> str:
    """How this program is called from where the reader is."""
    if shutil.which("gateway"):
        return "gateway"
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return "python -m gateway"
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return str(path)
