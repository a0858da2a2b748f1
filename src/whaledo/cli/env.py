"""`whaledo env`: the packages that submissions run with."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from whaledo.cli.answer import JsonOption, answering

ProfileOption = Annotated[str, typer.Option("--profile", help="Which environment: the name of a profile.")]


def build(profile: ProfileOption = "core", json: JsonOption = False) -> None:
    """Build a profile's environment from its lock, unless it is there."""
    with answering(json) as answer:
        from whaledo.environment.build import build_environment, find_environment

        started = time.monotonic()
        there = find_environment(profile)
        if there is None:
            answer.say(f"Building the environment {profile}.")
        environment = there or build_environment(
            profile, lambda line: answer.say(f"  {line}", style="bright_black")
        )
        build_s = time.monotonic() - started
        how = "is there" if there else f"was built in {build_s:.1f} s"
        count = len(environment.packages)
        holds = f"{count} package{'s' if count != 1 else ''} in {environment.folder}"
        answer.say(f"The environment {profile} {how}: {holds}")
        answer.document(
            {
                "profile": environment.profile,
                "lock_sha256": environment.lock_sha256,
                "folder": str(environment.folder),
                "base_python": str(environment.base_python),
                "packages": count,
                "built": there is None,
                "build_s": round(build_s, 3),
            }
        )


def list_packages(profile: ProfileOption = "core", json: JsonOption = False) -> None:
    """List a profile's packages, and where it is built the names to import them by."""
    with answering(json) as answer:
        from whaledo.environment.build import find_environment
        from whaledo.environment.profiles import read_lock

        lock, environment = read_lock(profile), find_environment(profile)
        imports = (
            {package.name: list(package.imports) for package in environment.packages} if environment else {}
        )
        for name, version in lock.versions().items():
            answer.say(f"{name:<24} {version:<14} {', '.join(imports.get(name, ()))}".rstrip())
        if environment is None:
            answer.say()
            answer.say(f"To see the import names too, build it: whaledo env build --profile {profile}")
        answer.document(
            {
                "profile": profile,
                "lock_sha256": lock.sha256,
                "folder": str(environment.folder) if environment else None,
                "packages": [
                    {"name": name, "version": version, "imports": imports.get(name)}
                    for name, version in lock.versions().items()
                ],
            }
        )
