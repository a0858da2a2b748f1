"""Build a challenge: from a request to a result, both of which travel as JSON.

`build_challenge` is the one function that everything calls. Everything is decided before an image is opened; an
image that turns out to be unusable changes the plan, and only what the new plan needs besides is converted.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

import PIL.Image

from whaledo import __version__
from whaledo.challenge.build.chance import draw_seed
from whaledo.challenge.build.convert import Converted, convert
from whaledo.challenge.build.leaks import find_leaks
from whaledo.challenge.build.plan import Plan, make_plan
from whaledo.challenge.build.records import BuildRequest, BuildResult
from whaledo.challenge.build.rules import PRESETS, Rules, check_presets, check_values, read_rules
from whaledo.challenge.build.table import Photograph, Reading, read_photographs
from whaledo.challenge.build.whole import require_room, whole
from whaledo.challenge.build.write import (
    IMAGES,
    PUBLIC,
    TRAINING,
    finish,
    write_challenge,
    write_record,
)
from whaledo.challenge.problems import counted
from whaledo.errors import BadData, MachineError, Problem, Problems, Severity, UsageError

Progress = Callable[[int, int], None]


def build_challenge(request: BuildRequest, on_progress: Progress | None = None) -> BuildResult:
    """Build a challenge from a table of identified photographs.

    Args:
        request: what to build, and of what.
        on_progress: called in this thread with the numbers of images converted and in all.

    Raises:
        BadData: with every problem of the table, of the scenarios, or of the images at once; nothing is left.
        UsageError: if the request makes no sense, or the output folder holds anything; nothing is touched.
        MachineError: if the output can't be written; nothing is left.
    """
    _check(request)
    output = Path(request.output)
    seed = draw_seed() if request.seed is None else request.seed
    rules = _rules(request)
    reading = read_photographs(request)
    check_values(rules, reading.photographs)
    try:
        require_room(output, "a challenge")
        with whole(output) as made:
            return _build(made, request, seed, rules, reading, on_progress)
    except OSError as error:
        raise MachineError(
            f"the challenge can't be written to {output}: {error.strerror or error}",
            hint="name a folder in a place where you may write, with room for all images",
        ) from error


def _check(request: BuildRequest) -> None:
    if not 0 <= request.training_share < 1:
        raise UsageError(
            f"a training share of {request.training_share} leaves no animals to ask about",
            hint="give a number from 0 (nothing to learn from) to below 1, such as 0.5",
        )
    if request.seed is not None and not 0 <= request.seed < 1 << 64:
        raise UsageError(f"the seed is {request.seed}", hint="give a whole number from 0 to 2^64 - 1")
    if not 1 <= request.quality <= 95:
        raise UsageError(f"a JPEG quality of {request.quality} doesn't exist", hint="give one from 1 to 95")
    if request.name is not None and not (request.name.strip() and request.name.isprintable()):
        raise UsageError(f"{request.name!r} can't be the challenge's name", hint="give a line of text")
    if request.longest_side and request.longest_side < 32:
        raise UsageError(
            f"a longest side of {request.longest_side} pixels shows no animal", hint="give 32 or more; 0: any"
        )
    check_presets(request.presets)


def _rules(request: BuildRequest) -> Rules:
    rules = Rules() if request.scenarios is None else read_rules(Path(request.scenarios))
    presets = (*rules.presets, *request.presets)
    if not presets and not rules.rules:
        presets = tuple(PRESETS)
    return Rules(rules.rules, presets, rules.season_starts_in)


def _build(
    made: Path, request: BuildRequest, seed: int, rules: Rules, reading: Reading, on_progress: Progress | None
) -> BuildResult:
    plan, converted, broken = _convert_all(made, request, seed, rules, reading, on_progress)
    problems = Problems()
    problems.extend(reading.problems)
    problems.extend(plan.problems)
    problems.extend(broken)
    for new_id in converted:
        if (warning := converted[new_id].warning) is not None:
            problems.add(warning)
    write_challenge(made, plan, converted, name=request.name, dates=request.dates)
    left_out = dict(reading.left_out)
    if plan.unused:
        left_out["that no scenario uses"] = plan.unused
    if broken:
        left_out["that can't be used"] = sum(kind.total for kind in broken.kinds.values())
    result = BuildResult(
        output=request.output,
        seed=seed,
        public_images=len(plan.public),
        public_animals=len({one.identity for one in plan.public.values()}),
        training_images=len(plan.training),
        training_animals=len(plan.animals),
        scenarios=plan.sizes,
        left_out=left_out,
        notes=plan.notes,
        leaks=find_leaks(made, plan, converted),
        problems=problems,
    )
    write_record(made, {"whaledo": __version__, "request": request.to_json(), "result": result.to_json()})
    finish(made)
    return result


def _convert_all(
    made: Path, request: BuildRequest, seed: int, rules: Rules, reading: Reading, on_progress: Progress | None
) -> tuple[Plan, dict[str, Converted], Problems]:
    """Convert the images of a plan that has no broken ones, and put them where they belong.

    Returns:
        The plan; new id to what its image became; the broken images that were skipped.
    """
    place = made / "converted"
    place.mkdir()
    done: dict[int, Converted] = {}
    broken: dict[int, Problem] = {}
    while True:
        usable = [one for one in reading.photographs if one.line not in broken]
        plan = _plan(usable, rules, request, seed, broken.values())
        wanted = {**plan.public, **plan.training}
        todo = [one for one in wanted.values() if one.line not in done]
        if not todo:
            break
        for one, became in zip(todo, _converted(todo, place, request, on_progress), strict=True):
            if isinstance(became, Problem):
                broken[one.line] = became
            else:
                done[one.line] = became
        if broken and not request.skip_broken:
            raise BadData(
                f"{counted(len(broken), 'photograph')} can't be used",
                hint="mend them, or go on without them: --skip-broken",
                problems=_as(Severity.ERROR, broken.values()),
            )
    _put(made, PUBLIC, plan.public, place)
    _put(made, TRAINING, plan.training, place)
    rmtree(place)
    by_id = {new_id: done[one.line] for new_id, one in wanted.items()}
    return plan, by_id, _as(Severity.WARNING, broken.values())


def _put(made: Path, part: str, photographs: Mapping[str, Photograph], place: Path) -> None:
    """Move converted images to where they belong, under their new names."""
    if photographs:
        (made / part / IMAGES).mkdir(parents=True)
    for new_id, one in photographs.items():
        (place / f"{one.line}.jpg").rename(made / part / IMAGES / f"{new_id}.jpg")


def _plan(
    usable: Sequence[Photograph], rules: Rules, request: BuildRequest, seed: int, broken: Iterable[Problem]
) -> Plan:
    try:
        return make_plan(
            usable, rules, training_share=request.training_share, seed=seed, layout=request.layout
        )
    except BadData as error:
        # Without the broken photographs too little may be left: then they are what is to be told.
        error.problems.extend(_as(Severity.WARNING, broken))
        raise


def _converted(
    todo: Sequence[Photograph], place: Path, request: BuildRequest, on_progress: Progress | None
) -> list[Converted | Problem]:
    """Convert images with a thread a processor: decoding and encoding leave Python free."""
    images = Path(request.table).parent if request.images is None else Path(request.images)

    def one_of(one: Photograph) -> Converted | Problem:
        target = place / f"{one.line}.jpg"
        options: Mapping[str, int] = {"longest_side": request.longest_side, "quality": request.quality}
        return convert(one, images, target, **options, table=request.table)

    became = []
    pool = ThreadPoolExecutor(os.cpu_count())
    with warnings.catch_warnings():
        # A large photograph is no attack: whoever gives the data chose it. Pillow refuses twice this size.
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        try:
            for result in pool.map(one_of, todo):
                became.append(result)
                if on_progress is not None:
                    on_progress(len(became), len(todo))
        finally:
            pool.shutdown(cancel_futures=True)
    return became


def _as(severity: Severity, found: Iterable[Problem]) -> Problems:
    problems = Problems()
    for one in sorted(found, key=lambda problem: problem.line or 0):
        problems.add(Problem(one.code, one.message, one.hint, one.file, one.line, severity))
    return problems
