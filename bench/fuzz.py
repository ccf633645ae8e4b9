"""Mutated real answers through both decoders, ours and pysnmp's: how often they agree, and what the allow-list had to allow.

Two processes; each begins with real answers of eight varbinds at most (versions 1, 2c and 3, GET and GETBULK, with missing
instances, counters of nine octets, long lengths) and changes them octet by octet, by their lengths, types and varbinds, and
by splices. A disagreement outside the allow-list of `tests/support/looseness.py` is printed with the answer in hex.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from secrets import randbits

from bench.report import Figure
from tests.support.differential import Fuzz, Outcome
from tests.support.looseness import ALLOWED
from tests.support.recorded import Sample, record

ANSWERS, LONG_ANSWERS = 200_000, 2_000_000
_PROCESSES = 2


def run(long: bool = False) -> dict[str, Figure]:
    """200,000 answers; `long` for two million. Seeds are other ones each time, and printed."""
    samples = record()
    seeds = [randbits(32) for _ in range(_PROCESSES)]
    print("seeds:", *seeds, file=sys.stderr)
    outcome = Outcome()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        share = (LONG_ANSWERS if long else ANSWERS) // _PROCESSES
        for part in pool.map(fuzzed, [samples] * _PROCESSES, seeds, [share] * _PROCESSES):
            outcome.add(part)
    for case in outcome.shown:
        print(case, file=sys.stderr)
    return figures(outcome)


def fuzzed(samples: list[Sample], seed: int, answers: int) -> Outcome:
    """One process's share."""
    fuzz = Fuzz(samples, seed)
    try:
        return fuzz.run(answers)
    finally:
        fuzz.close()


def figures(outcome: Outcome) -> dict[str, Figure]:
    """What is reported."""
    counts = outcome.counts
    found = {
        "mutated answers": Figure(counts.total(), "answers"),
        "disagreements outside the allow-list": Figure(outcome.disagreements, "answers", "<= 0"),
    }
    for name in ("refused by both", "equal, whole", "equal, in part", "allowed to differ"):
        found[name] = Figure(counts[name], "answers")
    for entry in ALLOWED:
        found[f"allowed: {entry.name}"] = Figure(outcome.allowed[entry.name], "answers")
    return found
