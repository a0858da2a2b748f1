"""How well submission_benchmark answers challenges: each of its families of evidence alone, and all together.

Challenges are data folders, or what `whaledo data build` wrote; without any, one is drawn. Everything runs in the
environment `core`, as a run would, but without its walls. `--calibrate SEEDS` prints the constants of handmade.py
instead, fitted on challenges drawn from these seeds: no photograph that is measured on has been learnt from.
`--full-size` measures time and memory at the competition's size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whaledo.scoring.compare import Difference

REPOSITORY = Path(__file__).resolve().parents[1]
PHOTOGRAPHS, QUERIES, SCENARIOS, DATABASE = 3_400, 4_419, 10, 1_500
FAMILIES = ("colours", "texture", "patterns")
WAYS = ("random", *FAMILIES, "together", "re-ranked")


def answers(data: Path) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Each scenario's blocks of queries, with the evidence that there is for each pair (inside `core`)."""
    import pandas as pd

    main, handmade = import_module("main"), import_module("handmade")
    scenarios = list(main.read_scenarios(data))
    metadata = main.read_csv(data / "metadata.csv").set_index("image_id")
    numbers = pd.Series(range(len(metadata)), index=metadata.index)
    seen = handmade.HandMade(main.usable_cpus(), main.views_of(metadata).to_numpy(object))
    seen.look_at([data / path for path in metadata.path])
    for scenario in scenarios:
        comparison = handmade.Comparison(seen, numbers[scenario.database].to_numpy())
        for start in range(0, len(scenario.queries), main.QUERIES_AT_ONCE):
            some = scenario.queries[start : start + main.QUERIES_AT_ONCE]
            queries = numbers[some.query_image_id].to_numpy()
            yield scenario, some, (comparison, queries), comparison.evidence(queries)


def write_answers(data: Path, output: Path) -> None:
    """Write a submission.csv for each of the WAYS (inside `core`)."""
    import numpy as np
    import pandas as pd

    main, handmade = import_module("main"), import_module("handmade")
    rows: dict[str, list[Any]] = {way: [] for way in WAYS}
    draws = np.random.default_rng(0)
    alone = handmade.Calibration(0, 1)
    for scenario, some, (comparison, queries), evidence in answers(data):
        together = handmade.ALL.probability(evidence.total())
        similarities = {
            "random": draws.random(together.shape),
            **{one: alone.probability(getattr(evidence, one)) for one in FAMILIES},
            "together": together,
            "re-ranked": comparison.rerank(queries, together),
        }
        own = queries[:, None] == comparison.database
        for way, found in similarities.items():
            for query_id, scores, columns in zip(
                some.query_id, found, main.best_images(found, own), strict=True
            ):
                rows[way] += [(query_id, scenario.database[column], scores[column]) for column in columns]
    for way in WAYS:
        table = pd.DataFrame(rows[way], columns=["query_id", "database_image_id", "score"])
        table.to_csv(output / f"{way}.csv", index=False)


def write_pairs(data: Path, output: Path) -> None:
    """Write all pairs of queries and database images: whether they are one animal, and the evidence for it."""
    import numpy as np

    main = import_module("main")
    who = main.read_csv(data / "metadata.csv").whale_id.to_numpy()
    found = []
    for _, _, (comparison, queries), evidence in answers(data):
        others = queries[:, None] != comparison.database
        same = who[queries][:, None] == who[comparison.database]
        prior = np.full(same.shape, np.log(same.shape[1]))
        nothing = np.zeros(same.shape)
        kinds = [
            replace(evidence, **dict.fromkeys(set(FAMILIES) - {one}, nothing)).total() for one in FAMILIES
        ]
        found.append(np.stack([same, prior, *kinds], axis=-1)[others])
    np.save(output / "pairs.npy", np.concatenate(found).astype(np.float32))


def inside(what: str, data: Path, output: Path) -> None:
    """Run one of the functions above with the Python of `core`."""
    from whaledo.environment.build import find_environment

    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    command = [str(environment.folder / "bin/python"), __file__, "--inside", what, str(data), str(output)]
    log = subprocess.run(command, capture_output=True, text=True)
    if log.returncode:
        sys.exit(log.stdout + log.stderr)


def measure(challenge: Path, folder: Path) -> None:
    """Print the score of each way on a challenge, and whether its difference to the last may be luck."""
    from whaledo.scoring.compare import CompareRequest, compare
    from whaledo.scoring.score import ScoreRequest, score

    started = time.perf_counter()
    built = (challenge / "public").is_dir()
    data, truth = (challenge / "public", challenge / "private") if built else (challenge, challenge)
    inside("answers", data, folder)
    print(f"\n{challenge.name} ({time.perf_counter() - started:.0f} s)")
    print(
        f"  {'':12}{'mAP@20':>8}{'95 % interval':>18}{'first hit':>11}{'re-ranked - this':>26}   by scenario"
    )
    last = str(folder / f"{WAYS[-1]}.csv")
    for way in WAYS:
        path = str(folder / f"{way}.csv")
        result = score(ScoreRequest(path, data=str(truth)))
        versus = compare(CompareRequest(last, path, data=str(truth)))
        low, high = result.confidence_interval or (0, 0)
        print(
            f"  {way:12}{result.mean_average_precision:8.3f}{f'{low:.3f} to {high:.3f}':>18}"
            f"{result.cmc[0]:11.1%}{shown(versus.overall):>26}   "
            + ", ".join(f"{one.name} {one.b:.3f} {shown(one)}" for one in versus.scenarios)
        )


def shown(difference: Difference) -> str:
    low, high = difference.confidence_interval or (0, 0)
    return f"{difference.difference:+.3f} ({low:+.3f} to {high:+.3f})"


def calibrate(seeds: list[int], folder: Path) -> None:
    """Print the log odds that fit drawn animals best: of all families, and of the two of appearance."""
    import numpy as np

    from whaledo.challenge.demo.write import write_demo

    found = []
    for seed in seeds:
        data, output = folder / f"demo{seed}", folder / f"pairs{seed}"
        output.mkdir()
        write_demo(data, seed=seed)
        inside("pairs", data, output)
        found.append(np.load(output / "pairs.npy").astype(float))
    pairs = np.concatenate(found)
    same, prior, evidence = pairs[:, 0] > 0, pairs[:, 1], pairs[:, 2:]
    print(f"{len(pairs)} pairs, {same.sum()} of them one animal, drawn from the seeds {seeds}")
    for families in (FAMILIES, FAMILIES[:2]):
        kinds = evidence[:, : len(families)]
        alike = fit(same, prior, kinds.sum(axis=1, keepdims=True))
        apart = fit(same, prior, kinds)
        print(f"{', '.join(families)}: start {alike[0]:+.2f}, weight {alike[1]:.2f}", end="; ")
        print("weights of their own would be", *(f"{weight:.2f}" for weight in apart[1:]))


def fit(same: Any, prior: Any, evidence: Any) -> list[float]:
    """Logistic regression: the start, and a weight for each column of evidence."""
    import numpy as np

    def loss(constants: Any) -> float:
        odds = constants[0] - prior + evidence @ constants[1:]
        return float(np.logaddexp(0, np.where(same, -odds, odds)).mean())

    minimize = import_module("scipy.optimize").minimize
    return list(minimize(loss, np.zeros(evidence.shape[1] + 1)).x)


def write_full_size(folder: Path) -> None:
    """A challenge as large as the competition's, of altered copies of the real photographs, or of drawn ones."""
    import numpy as np
    from PIL import Image, ImageEnhance, ImageOps

    from whaledo.challenge.demo.write import write_demo

    real = Path(os.environ.get("WHALEDO_REAL_DATA", REPOSITORY.parent / "shared" / "beluga"))
    if not real.is_dir():
        real = folder.with_name("drawn")
        write_demo(real)
    sources = sorted((real / "images").glob("*.jpg"))
    names = [f"train{number:04}" for number in range(PHOTOGRAPHS)]
    for part in ("images", "queries", "databases"):
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(names):
        with Image.open(sources[number % len(sources)]) as source:
            copy = source.convert("RGB")
        copy = ImageOps.mirror(copy) if number % 2 else copy
        copy = ImageEnhance.Brightness(copy).enhance(1 - number / PHOTOGRAPHS / 4)
        copy.save(folder / "images" / f"{name}.jpg", quality=90)
    rows = "".join(f"{name},images/{name}.jpg\n" for name in names)
    (folder / "metadata.csv").write_text("image_id,path\n" + rows)
    draws = np.random.default_rng(0)
    for number in range(SCENARIOS):
        scenario = f"scenario{number + 1:02}"
        asked = draws.permutation(names)[: (QUERIES + number) // SCENARIOS]
        rows = "".join(f"{scenario}-{name},{name}\n" for name in asked)
        (folder / "queries" / f"{scenario}.csv").write_text("query_id,query_image_id\n" + rows)
        database = draws.permutation(names)[:DATABASE]
        (folder / "databases" / f"{scenario}.txt").write_text("\n".join(database))


def measure_full_size(folder: Path) -> None:
    """Run the submission on a challenge of the competition's size: seconds, processor seconds, memory."""
    import resource
    import shutil

    from whaledo.environment.build import find_environment

    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    write_full_size(folder / "data")
    (folder / "submission").mkdir()
    for module in (REPOSITORY / "submission_benchmark").glob("*.py"):
        shutil.copy(module, folder)
    started = time.perf_counter()
    subprocess.run([environment.folder / "bin/python", "main.py"], cwd=folder, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{PHOTOGRAPHS} photographs, {QUERIES} queries in {SCENARIOS} scenarios of {DATABASE} images: "
        f"{time.perf_counter() - started:.0f} s, of processors {used.ru_utime + used.ru_stime:.0f} s, "
        f"at most {used.ru_maxrss / 2**20:.2f} GiB; load of the machine {os.getloadavg()[2]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("challenges", nargs="*", type=Path, help="data folders; without any, one is drawn")
    parser.add_argument("--calibrate", nargs="+", type=int, metavar="SEED", help="fit the constants instead")
    parser.add_argument("--full-size", action="store_true", help="measure time and memory instead")
    parser.add_argument(
        "--keep", type=Path, help="an empty folder for the submissions, one folder a challenge"
    )
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        sys.path.insert(0, str(REPOSITORY / "submission_benchmark"))
        what, data, output = given.inside
        {"answers": write_answers, "pairs": write_pairs}[what](Path(data), Path(output))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        if given.calibrate:
            calibrate(given.calibrate, Path(scratch))
            return
        if given.full_size:
            measure_full_size(folder)
            return
        if not given.challenges:
            from whaledo.challenge.demo.write import write_demo

            given.challenges = [Path(scratch) / "demo"]
            write_demo(given.challenges[0])
        for number, data in enumerate(given.challenges):
            output = folder / f"{number}-{data.name}"
            output.mkdir(parents=True)
            measure(data, output)


if __name__ == "__main__":
    main()
