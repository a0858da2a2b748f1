"""`whaledo env`: the packages that submissions run with."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.cli.run import IMAGE_VARIABLE

if TYPE_CHECKING:
    from whaledo.environment.addition import Addition
    from whaledo.environment.changes import Change

ProfileOption = Annotated[str, typer.Option("--profile", help="Which environment: core, cpu or gpu.")]
_GREY = "bright_black"


def build(profile: ProfileOption = "core", json: JsonOption = False) -> None:
    """Build a profile's environment from its lock, unless it is there."""
    with answering(json) as answer:
        from whaledo.environment.build import build_environment, find_environment

        started = time.monotonic()
        there = find_environment(profile)
        if there is None:
            answer.say(f"Building the environment {profile}.")
        environment = there or build_environment(profile, lambda line: answer.say(f"  {line}", style=_GREY))
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


def list_packages(
    profile: Annotated[
        str | None, typer.Option("--profile", help="List the packages of this one, with their import names.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the profiles, or the packages of one and the names to import them by; nothing has to be built."""
    with answering(json) as answer:
        if profile is None:
            _list_profiles(answer)
        else:
            _list_packages(profile, answer)


def _list_profiles(answer: Answer) -> None:
    from whaledo.environment.build import find_environment
    from whaledo.environment.profiles import profiles, read_lock

    rows, listed = [("profile", "packages", "lock", "built in")], []
    for name in profiles():
        lock, environment = read_lock(name), find_environment(name)
        count = len(lock.versions())
        where = str(environment.folder) if environment else "not built"
        rows.append((name, str(count), lock.sha256[:12], where))
        folder = str(environment.folder) if environment else None
        listed.append({"profile": name, "lock_sha256": lock.sha256, "packages": count, "folder": folder})
    _say_table(answer, rows)
    answer.document({"profiles": listed})


def _list_packages(profile: str, answer: Answer) -> None:
    from whaledo.environment.build import find_environment
    from whaledo.environment.names import packages
    from whaledo.environment.profiles import read_lock

    held, environment = packages(profile), find_environment(profile)
    _say_table(answer, [(each.name, each.version, ", ".join(each.imports)) for each in held])
    answer.document(
        {
            "profile": profile,
            "lock_sha256": read_lock(profile).sha256,
            "folder": str(environment.folder) if environment else None,
            "packages": [
                {"name": each.name, "version": each.version, "imports": list(each.imports)} for each in held
            ],
        }
    )


def run_tests(
    profile: ProfileOption = "core",
    engine: Annotated[str, typer.Option(help="What runs the tests: auto, or an engine.")] = "auto",
    image: Annotated[
        str | None, typer.Option(help="A container image to test instead.", envvar=IMAGE_VARIABLE)
    ] = None,
    gpu: Annotated[
        bool | None, typer.Option("--gpu/--no-gpu", help="Show GPUs; left out: where the profile wants them.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Test a built environment from inside: walled in and offline, as a submission meets it."""
    with answering(json) as answer:
        from whaledo.cli.run import listening
        from whaledo.environment_test import run_environment_test
        from whaledo.errors import MachineError

        with listening(answer) as listener:
            result = run_environment_test(
                profile, engine=engine, image=image or None, gpu=gpu, listener=listener
            )
        if result.verdict.code != "ok":
            answer.error(
                MachineError(
                    f"the environment {profile} fails its tests: {result.verdict.message}",
                    hint=result.verdict.hint or "the output above says which test failed, and why",
                )
            )
        else:
            name = result.engine["name"]
            answer.say(f"✓ the environment {profile} passes its tests, walled in by {name}", style="green")
        answer.document(result.to_json())


def add(
    package: Annotated[str, typer.Argument(metavar="PACKAGE==VERSION", help="What to add, or to move.")],
    profile: Annotated[
        str, typer.Option("--profile", help="core: for every profile; cpu: for cpu and gpu.")
    ] = "cpu",
    reason: Annotated[str, typer.Option(help="What it is for; written beside it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would move.")] = False,
    json: JsonOption = False,
) -> None:
    """Add a package to the runtime, and say what that moves for everyone."""
    with answering(json) as answer:
        from whaledo.environment.addition import plan_addition, read_request, require_reason
        from whaledo.resources import runtime_folder

        folder, request = runtime_folder(), read_request(package, reason)
        if not dry_run:
            require_reason(folder, request)
        addition = plan_addition(folder, request, profile, lambda line: answer.say(f"  {line}", style=_GREY))
        _say_addition(answer, addition)
        if dry_run:
            answer.say("Nothing was written.")
        else:
            addition.write(folder)
            answer.say(f"Written: {', '.join(sorted(addition.files))} in {folder}")
        answer.document(_addition_document(addition, written=not dry_run))


def _say_addition(answer: Answer, addition: Addition) -> None:
    from whaledo.units import show_size

    rows = [("", "before", "after", "profiles", "on disk", "licence")]
    for change in sorted({change for each in addition.changes.values() for change in each}, key=str):
        profiles = " ".join(name for name, each in addition.changes.items() if change in each)
        entry = addition.entry(change)
        about = (show_size(entry.size_bytes), entry.licence or "not said") if entry else ("", "")
        rows.append((change.name, change.before or "", change.after or "", profiles, *about))
    answer.say(f"{addition.request.requirement} in {addition.source}:")
    if len(rows) == 1:
        answer.say("  nothing moves: every profile has it in that version already")
        return
    _say_table(answer, rows, indent="  ")
    for name, each in addition.changes.items():
        if not each:
            answer.say(f"{name}: stays as it is")
            continue
        grown = addition.size_bytes(name)
        answer.say(f"{name}: {'+' if grown >= 0 else '-'}{show_size(abs(grown))} on disk")
    if addition.without_arm:
        answer.warn(
            f"! no wheel for Linux on arm64, so not on Apple silicon: {', '.join(addition.without_arm)}"
        )


def _addition_document(addition: Addition, *, written: bool) -> dict[str, Any]:
    from dataclasses import asdict

    profiles = {}
    for name, each in addition.changes.items():
        listed = []
        for change in each:
            entry = addition.entry(change)
            about = {"size_bytes": entry.size_bytes, "licence": entry.licence} if entry else {}
            listed.append({**asdict(change), "kind": change.kind.value, **about})
        profiles[name] = {"size_bytes": addition.size_bytes(name), "changes": listed}
    return {
        "requirement": addition.request.requirement,
        "source": addition.source,
        "written": written,
        "profiles": profiles,
        "without_arm64": list(addition.without_arm),
    }


def diff(
    first: Annotated[
        str, typer.Argument(metavar="A", help="Profile, lock, `pip freeze` file, folder, image, or `here`.")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    json: JsonOption = False,
) -> None:
    """Say how the packages of B differ from those of A: two locks, images, environments, or one of each."""
    with answering(json) as answer:
        from whaledo.environment.changes import Kind, changes
        from whaledo.environment.comparison import packages_named

        before, after = packages_named(first), packages_named(second)
        found = changes(before, after)
        by_kind = {kind: [change for change in found if change.kind is kind] for kind in Kind}
        titles = {
            Kind.REMOVED: f"only in {first}",
            Kind.ADDED: f"only in {second}",
            Kind.MOVED: "in another version",
            Kind.BUILD: "the same version, built for other hardware",
        }
        for kind, title in titles.items():
            _say_changes(answer, title, by_kind[kind])
        same = len(before.keys() & after.keys()) - len(by_kind[Kind.MOVED]) - len(by_kind[Kind.BUILD])
        answer.say(f"The same in both: {same}.")
        listed = {
            kind.value: [{"name": c.name, "before": c.before, "after": c.after} for c in each]
            for kind, each in by_kind.items()
        }
        answer.document({"first": first, "second": second, "same": same, **listed})


def _say_changes(answer: Answer, title: str, found: Sequence[Change]) -> None:
    if not found:
        return
    answer.say(f"{title} ({len(found)}):")
    rows = [(c.name, " -> ".join(version for version in (c.before, c.after) if version)) for c in found]
    _say_table(answer, rows, indent="  ")


def lock(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest versions that fit together.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compile the locks of all profiles anew, and the list of what they let one import."""
    with answering(json) as answer:
        from dataclasses import asdict

        from whaledo.environment.locking import lock_all
        from whaledo.resources import runtime_folder

        moved = lock_all(
            runtime_folder(), upgrade=upgrade, on_output=lambda line: answer.say(f"  {line}", style=_GREY)
        )
        for name, each in moved.items():
            _say_changes(answer, f"{name}, moved", each)
            if not each:
                answer.say(f"{name}: nothing moved")
        answer.document({name: [asdict(change) for change in each] for name, each in moved.items()})


def _say_table(answer: Answer, rows: Iterable[Sequence[str]], indent: str = "") -> None:
    """Say rows of words in columns, as wide as they need to be."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        answer.say(f"{indent}{'  '.join(cells)}".rstrip())
