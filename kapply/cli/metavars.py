"""What the help texts call the values of flags, where an option itself does not say."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "--accept-hosts": "REGEX",
    "--accept-paths": "REGEX",
    "--reject-methods": "REGEX",
    "--reject-paths": "REGEX",
    "--address": "IP",
    "--api-group": "GROUP",
    "--api-prefix": "PATH",
    "--api-version": "GROUP/VERSION",
    "--as": "USER",
    "--as-group": "GROUP",
    "--as-uid": "UID",
    "--cascade": "HOW",
    "--categories": "NAMES",
    "--color": "WHEN",
    "--content-type": "TYPE",
    "--dry-run": "HOW",
    "--exclude": "CHECK",
    "--field-manager": "NAME",
    "--field-selector": "SELECTOR",
    "--filename": "FILE",
    "--from": "STEP",
    "--grace-period": "SECONDS",
    "--header": "NAME:VALUE",
    "--label-columns": "LABEL",
    "--lock-timeout": "TIME",
    "--output": "FORMAT",
    "--patch-file": "FILE",
    "--port": "PORT",
    "--query": "KEY=VALUE",
    "--request-timeout": "TIME",
    "--resource-version": "VERSION",
    "--role-name": "NAME",
    "--server": "URL",
    "--since": "TIME",
    "--since-time": "MOMENT",
    "--sort-by": "ORDER",
    "--subresource": "PART",
    "--timeout": "TIME",
    "--tls-server-name": "NAME",
    "--validate": "HOW",
    "--width": "COLUMNS",
}


def name_values(command: Any) -> None:
    """Give each option of a command, and of the commands in it, a name for its value."""
    for child in getattr(command, "commands", {}).values():
        name_values(child)
    for param in command.params:
        if param.param_type_name != "option" or param.metavar or param.is_flag or param.count:
            continue
        numeric = param.type.name.startswith("int")
        flag = param.opts[-1]
        param.metavar = _NAMES.get(flag) or ("N" if numeric else flag.strip("-").upper())
