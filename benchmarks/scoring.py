"""How fast scoring is: ours, a plain loop over queries with scikit-learn, and the mere parsing of the two files.

Each is measured in a fresh process of its own, one after the other in turns, on files of N queries with 20 rows:
seconds without the imports, and the largest memory that the process ever had. The loop takes minutes for 100,000
queries, so it runs only up to --loop-up-to. `--problems` measures what it costs to refuse files of two million rows
with a million problems each, and `--coverage` how often the 95 % interval holds the truth on simulated animals, and
how often two equal methods are told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROWS = 20
WHALEDO = Path(sys.executable).with_name("whaledo")


def write_files(folder: Path, queries: int, seed: int = 0) -> tuple[Path, Path]:
    """A submission and its labels: each query has 1 to 11 right answers, of which some are found."""
    draws = np.random.default_rng(seed)
    database = max(1000, queries // 2)
    submission, labels = folder / f"submission{queries}.csv", folder / f"labels{queries}.csv"
    with submission.open("w") as rows, labels.open("w") as pairs:
        rows.write("query_id,database_image_id,score\n")
        pairs.write("query_id,database_image_id\n")
        for query in range(queries):
            images = (
                draws.permutation(database)[: 12 + ROWS] if database < 5000 else _distinct(draws, database)
            )
            right = images[: draws.integers(1, 12)]
            answer = [*right[: draws.integers(0, len(right) + 1)], *images[12:]][:ROWS]
            for image, score in zip(answer, draws.random(ROWS).tolist(), strict=True):
                rows.write(f"scenario01-q{query:06d},train{image:06d},{score!r}\n")
            pairs.writelines(f"scenario01-q{query:06d},train{image:06d}\n" for image in right)
    return submission, labels


def _distinct(draws: np.random.Generator, database: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    drawn: list[int] = list(dict.fromkeys(draws.integers(0, database, 3 * ROWS).tolist()))
    return np.array(drawn[: 12 + ROWS])


def ours(submission: Path, labels: Path) -> Callable[[], float]:
    """All that `whaledo score` does: every check, the score, its interval."""
    from whaledo.scoring.score import ScoreRequest, score

    return lambda: score(ScoreRequest(str(submission), str(labels))).mean_average_precision


def loop(submission: Path, labels: Path) -> Callable[[], float]:
    """The rules, query by query, with pandas and scikit-learn; nothing is checked."""
    import pandas as pd
    from sklearn.metrics import average_precision_score  # type: ignore[import-untyped]  # it has no types

    def run() -> float:
        text = {"query_id": str, "database_image_id": str}
        ranked = pd.read_csv(submission, dtype=text, keep_default_na=False)
        right = pd.read_csv(labels, dtype=text, keep_default_na=False)
        answers = right.groupby("query_id")["database_image_id"].agg(set)
        values = {}
        for query, rows in ranked.groupby("query_id"):
            if query not in answers:
                continue
            is_hit = rows["database_image_id"].isin(answers[query])
            hits = int(is_hit.sum())
            precision = average_precision_score(is_hit, rows["score"]) if hits else 0.0
            values[query] = precision * hits / min(len(answers[query]), ROWS)
        return float(pd.Series(values).reindex(answers.index, fill_value=0.0).mean())

    return run


def refusing(submission: Path, labels: Path) -> Callable[[], float]:
    """The same for a file that breaks the rules: every check, and how many problems there are."""
    from whaledo.errors import BadRankings
    from whaledo.scoring.score import ScoreRequest, score

    def run() -> float:
        try:
            score(ScoreRequest(str(submission), str(labels)))
        except BadRankings as error:
            return float(error.problems.errors)
        raise AssertionError("the file has no problems")

    return run


def parsing(submission: Path, labels: Path) -> Callable[[], float]:
    """Both files into memory with pyarrow, and nothing done with them."""
    from pyarrow import csv

    return lambda: float(csv.read_csv(submission).num_rows + csv.read_csv(labels).num_rows)


WAYS = {"ours": ours, "loop": loop, "parsing": parsing, "refusing": refusing}

SPOILED: dict[str, Callable[[str], str]] = {
    "scores above 1": lambda row: f"{row.rpartition(',')[0]},1.5",
    "scores that are nan": lambda row: f"{row.rpartition(',')[0]},nan",
    "scores that are text": lambda row: f"{row.rpartition(',')[0]},high",
    "rows of four values": lambda row: f"{row},x",
    "ids that are empty": lambda row: f",{row.partition(',')[2]}",
    "headers among the rows": lambda _: "query_id,database_image_id,score",
    "NUL bytes": lambda row: row.replace("train", "tr\0in"),
}
"""What can be wrong with every other row."""


def measure_here(way: str, submission: Path, labels: Path) -> None:
    """What the fresh process does: run one way once, and print what it took."""
    run = WAYS[way](submission, labels)
    start, start_cpu = time.perf_counter(), time.process_time()
    value = run()
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "peak_bytes": peak_bytes, "value": value}))


def measure(way: str, submission: Path, labels: Path) -> dict[str, float]:
    """Run one way in a fresh process."""
    command = [sys.executable, __file__, "--measure", way, str(submission), str(labels)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def print_table(sizes: list[int], loop_up_to: int, repeats: int) -> None:
    """Measure every size in turns, and print a line for each way; the loop once, for its length."""
    print("queries  way       seconds   of ours   processor s   of ours   peak MB")
    with tempfile.TemporaryDirectory() as folder:
        for queries in sizes:
            files = write_files(Path(folder), queries)
            runs: dict[str, list[dict[str, float]]] = {"ours": [], "parsing": [], "loop": []}
            for _ in range(repeats):
                runs["parsing"].append(measure("parsing", *files))
                runs["ours"].append(measure("ours", *files))
            if queries <= loop_up_to:
                runs["loop"].append(measure("loop", *files))
                if runs["loop"][0]["value"] != runs["ours"][0]["value"]:
                    sys.exit(f"ours is {runs['ours'][0]['value']!r}, the loop's {runs['loop'][0]['value']!r}")
            for way, found in runs.items():
                if found:
                    print_way(queries, way, found, runs["ours"])


def print_way(queries: int, way: str, found: list[dict[str, float]], ours: list[dict[str, float]]) -> None:
    """One line: medians, how many times ours they are, and the largest memory."""
    line = f"{queries:>7,}  {way:<8}"
    for name in ("wall_s", "cpu_s"):
        took, our = (statistics.median(run[name] for run in runs) for runs in (found, ours))
        line += f"{took:>9.3f}  {took / our:>8.2f}   "
    print(f"{line}{max(run['peak_bytes'] for run in found) / 1e6:>7.0f}", flush=True)


def print_command(queries: int, repeats: int) -> None:
    """The whole command, from the shell to the last line, in turns with an interpreter that imports two libraries."""
    with tempfile.TemporaryDirectory() as folder:
        submission, labels = write_files(Path(folder), queries)
        commands = {
            "`whaledo score`": [str(WHALEDO), "score", str(submission), str(labels)],
            "`import numpy, pyarrow`": [sys.executable, "-c", "import numpy, pyarrow"],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(repeats + 1):
            for name, command in commands.items():
                took = time_command(command)
                if turn:
                    found[name].append(took)
    print(f"{queries:,} queries, {repeats} starts      median s   best s   processor s")
    for name, taken in found.items():
        walls, cpus = zip(*taken, strict=True)
        print(
            f"{name:<29}{statistics.median(walls):>10.2f}{min(walls):>9.2f}{statistics.median(cpus):>14.2f}"
        )


def time_command(command: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of processor time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def print_problems(queries: int) -> None:
    """What refusing costs, beside scoring the same file without problems; processor seconds of one run each."""
    with tempfile.TemporaryDirectory() as folder:
        submission, labels = write_files(Path(folder), queries)
        head, *rows = submission.read_text().splitlines()
        good = measure("ours", submission, labels)
        print(f"{len(rows):,} rows                 problems  processor s  of scoring  peak MB")
        print(f"{'none: scored':<24}{0:>14,}{good['cpu_s']:>13.2f}{1:>12.1f}{good['peak_bytes'] / 1e6:>9.0f}")
        for name, spoil in SPOILED.items():
            spoiled = (spoil(row) if number % 2 else row for number, row in enumerate(rows))
            submission.write_text("\n".join([head, *spoiled, ""]))
            found = measure("refusing", submission, labels)
            share, peak_mb = found["cpu_s"] / good["cpu_s"], found["peak_bytes"] / 1e6
            print(
                f"{name:<24}{found['value']:>14,.0f}{found['cpu_s']:>13.2f}{share:>12.1f}{peak_mb:>9.0f}",
                flush=True,
            )


def print_coverage(trials: int) -> None:
    """How often the interval holds the truth, and how often equal methods are told apart."""
    from whaledo.scoring.uncertainty import interval

    print("animals  interval holds the truth  two equal methods told apart")
    for animals in (15, 30, 60, 120, 500):
        draws = np.random.default_rng(animals)
        holds = told_apart = 0
        for trial in range(trials):
            values, units = simulate(draws, animals)
            low, high = interval(values, units, seed=trial) or (0.0, 0.0)
            holds += low <= 0.5 <= high
            other = np.clip(values + draws.normal(0, 0.15, len(values)), 0, 1)
            again = np.clip(values + draws.normal(0, 0.15, len(values)), 0, 1)
            low, high = interval(other - again, units, seed=trial) or (0.0, 0.0)
            told_apart += not low <= 0 <= high
        print(f"{animals:>7}  {holds / trials:>24.1%}  {told_apart / trials:>28.1%}", flush=True)


def simulate(
    draws: np.random.Generator, animals: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Average precisions whose mean is 0.5: animals differ in how easy they are and how often they are asked."""
    counts = draws.geometric(0.25, animals)
    units = np.repeat(np.arange(animals), counts)
    ease = draws.beta(0.8, 0.8, animals)
    return draws.beta(0.2 + 2 * ease[units], 0.2 + 2 * (1 - ease[units])), units


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--loop-up-to", type=int, default=10_000, help="the largest size for the slow loop")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--problems", action="store_true", help="measure refusing instead")
    parser.add_argument("--coverage", type=int, metavar="TRIALS", help="measure the intervals instead")
    parser.add_argument("--measure", nargs=3, metavar=("WAY", "SUBMISSION", "LABELS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, submission, labels = arguments.measure
        measure_here(way, Path(submission), Path(labels))
    elif arguments.problems:
        print_problems(arguments.queries[-1])
    elif arguments.coverage:
        print_coverage(arguments.coverage)
    else:
        print_table(arguments.queries, arguments.loop_up_to, arguments.repeats)
        print_command(5_000, 4 * arguments.repeats)


if __name__ == "__main__":
    main()
