"""Families: folders of like things, found instead of listed.

A member is a module of the family's package whose name has no leading underscore, or a
module that an installed package offers under the family's entry-point group.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from types import ModuleType

from gateway.core.errors import ConfigError


def discover(package: str, group: str) -> dict[str, ModuleType]:
    """The members of a family by name, sorted.

    package: dotted name of the family's package; its own members are imported now.
    group: entry-point group through which packages outside the tree join; each entry point
    names a module.
    Raises ConfigError for a name that is given twice and for a member that cannot be imported.
    """
    parent = importlib.import_module(package)
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(parent.__path__):
        if not info.name.startswith("_"):
            found[info.name] = importlib.import_module(f"{package}.{info.name}")
    for point in entry_points(group=group):
        if point.name in found:
            raise ConfigError(
                f"{group}: {point.value} offers a member {point.name!r}, but {point.name!r} is "
                f"already {found[point.name].__name__}. Uninstall one of them."
            )
        found[point.name] = _load(point.value, point.name, group)
    return dict(sorted(found.items()))


def _load(module: str, name: str, group: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as err:
        raise ConfigError(
            f"{group}: the member {name!r} cannot be imported from {module!r}: {err}."
        ) from err
