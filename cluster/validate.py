#!/usr/bin/env python3
"""Validates the cluster files of this folder without a network, by the programs that will read them.

    python3 cluster/validate.py cluster/ray.yaml cluster/runpod.sky.yaml

`*.sky.yaml` goes through SkyPilot's own parser (requirements-sky.txt), any other file through the validator of Ray's
cluster launcher (requirements-ray.txt). Both see a file's shape. Whether machines answer, images exist, and GPUs are
to be had shows only when they are used.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml


class Refused(Exception):
    """A file that its program would not take; says why."""


def check(path: Path) -> None:
    """Returns when the file is good, and raises `Refused` otherwise."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refused(str(error)) from error
    if not isinstance(config, dict):
        raise Refused("it is no YAML mapping")
    if path.name.endswith(".sky.yaml"):
        check_sky(config)
    else:
        check_ray(config)


def check_ray(config: dict[str, Any]) -> None:
    """Does what `ray up` does with a file before it reaches for the first machine."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    provider = config.get("provider")
    if not isinstance(provider, dict):
        raise Refused("it has no `provider`")
    try:
        prepared = prepare_config(config)
        validate_config(prepared)
    except Exception as error:  # Each of Ray's checks has an exception of its own.
        raise Refused(reason(error)) from error
    if provider.get("type") == "local":
        check_machines(provider, prepared["max_workers"])


def check_machines(provider: dict[str, Any], max_workers: int) -> None:
    """Compares a `local` cluster with its list of machines, which Ray does not do when the node type is spelt out."""
    workers = provider.get("worker_ips")
    if not provider.get("head_ip") or not isinstance(workers, list):
        raise Refused("`provider` needs a `head_ip` and a list of `worker_ips`")
    if max_workers > len(workers):
        raise Refused(f"`max_workers` is {max_workers}, but there are {len(workers)} `worker_ips`")


def check_sky(config: dict[str, Any]) -> None:
    """Parses a task or a pool as `sky` does."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home  # Importing it writes there.
        os.environ["SKYPILOT_DISABLE_USAGE_COLLECTION"] = "1"
        import sky

        try:
            task = sky.Task.from_yaml_config(config)
        except Exception as error:
            raise Refused(reason(error)) from error
    if task.service is not None and not task.service.pool:
        raise Refused("it has a `service`, which is for endpoints; workers are a `pool`")


def reason(error: Exception) -> str:
    """Returns the first paragraph of an error: what follows is the whole schema."""
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    where = ".".join(str(part) for part in getattr(error, "absolute_path", []))
    return f"{where}: {text}" if where else text


def main(arguments: list[str]) -> int:
    """Checks all files named, and says what each one's fate is."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    code = 0
    for argument in arguments:
        try:
            check(Path(argument))
        except Refused as refused:
            print(f"validate: {argument}: {refused}", file=sys.stderr)
            code = 1
        except ModuleNotFoundError as missing:
            print(f"validate: {argument}: Python's `{missing.name}` is missing: see requirements-*.txt", file=sys.stderr)
            code = 1
        else:
            print(f"validate: {argument} is good", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
