from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.differential import Fuzz
from tests.support.looseness import ALLOWED
from tests.support.mutations import elements, mutated, rebuilt
from tests.support.recorded import Sample, long_lengths, record

ANSWERS = 5_000
SEED = 20


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return record()


@pytest.fixture
def fuzz(samples: list[Sample]) -> Iterator[Fuzz]:
    fuzz = Fuzz(samples, SEED)
    yield fuzz
    fuzz.close()


def test_both_decoders_make_the_same_of_mutated_answers_but_for_what_the_allow_list_says(fuzz: Fuzz) -> None:
    outcome = fuzz.run(ANSWERS)
    assert not outcome.disagreements, "\n".join(outcome.shown)
    counts = outcome.counts
    assert counts.total() >= ANSWERS
    assert min(counts[one] for one in ("refused by both", "equal, whole", "equal, in part")) > ANSWERS / 50, counts
    assert counts["allowed to differ"] < ANSWERS / 10
    assert set(outcome.allowed) <= {entry.name for entry in ALLOWED}


def test_a_wrong_reading_is_found(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = fuzz._slots._layouts.decode

    def one_more(*given: object) -> object:
        decoded = decode(*given)  # type: ignore[arg-type]
        decoded.values[:, -1] |= 1 << 62
        return decoded

    monkeypatch.setattr(fuzz._slots._layouts, "decode", one_more)
    with pytest.raises(AssertionError, match="a right answer is refused, or read wrongly"):
        fuzz.run(500)


def test_a_disagreement_is_counted_and_told_whole(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.differential.allowed_for", lambda *_: "")
    outcome = fuzz.run(1500)
    assert outcome.disagreements
    assert "ours Verdict(accepted=False" in outcome.shown[0]


def test_mutants_of_all_kinds_stay_datagrams_that_fit(samples: list[Sample]) -> None:
    chance = random.Random(1)
    answer = samples[1].answer
    for _ in range(2000):
        assert len(mutated(answer, samples[4].answer, chance)) <= 1400
    assert mutated(b"", b"", chance) is not None


def test_an_answer_with_long_lengths_holds_the_same(samples: list[Sample]) -> None:
    answer = samples[1].answer
    longer = long_lengths(answer)
    assert len(longer) > len(answer)
    assert [longer[begin:end] for _, begin, end in elements(longer) if not _holds_others(longer, begin)] == [
        answer[begin:end] for _, begin, end in elements(answer) if not _holds_others(answer, begin)
    ]
    assert rebuilt(answer, {}) == answer or len(rebuilt(answer, {})) > len(answer)


def _holds_others(raw: bytes, content: int) -> bool:
    return any(begin == content for begin, _, _ in elements(raw))
