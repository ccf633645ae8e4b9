"""The differential fuzz: mutated real answers through our decoder and pysnmp's, and what the two make of each.

Ours is the whole request table (`batch/slots.py`) on real sockets. A round sends all slots' requests to a socket of the
test, which answers them: first with the recorded answers, so that their layouts are known, then with mutants of them, then
with mutants of the mutants, whose layout may be known. The reference is pysnmp's and pyasn1's decoding
(`pysnmp_stack/codec.py`), with each cell's value from `wire.VarBind`.
"""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.core.errors import BadReply
from server.sources.snmp.batch.security import Community
from server.sources.snmp.batch.slots import Slots
from server.sources.snmp.batch.template import SlotRequest
from server.sources.snmp.batch.usm import UsmPeer
from server.sources.snmp.message import Operation, Response
from server.sources.snmp.pysnmp_stack.codec import CommunityCodec
from server.sources.snmp.settings import SnmpV1V2
from server.sources.snmp.wire import Tag
from tests.sources.snmp.batch.usm_agent import Engine, credentials
from tests.support.hostile_agent import element
from tests.support.looseness import allowed_for
from tests.support.mutations import mutated
from tests.support.recorded import COMMUNITY, ID_OCTETS, REQUEST_ID, VERSION_1, VERSION_3, Sample, slot_request

_COPIES = 6  # slots of each sample
_DEPTH = 3  # rounds of mutants, each of those before, between two of right answers
_SHOWN = 20  # disagreements that are told whole


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decoder made of an answer: refused, or an error-status and the number in each cell (None: invalid)."""

    accepted: bool
    error_status: int = 0
    cells: tuple[int | None, ...] = ()


REFUSED = Verdict(accepted=False)


@dataclass
class Outcome:
    """How often the two agreed, by class; how often each entry of the allow-list was needed; and all other cases."""

    counts: Counter[str] = field(default_factory=Counter)
    allowed: Counter[str] = field(default_factory=Counter)
    disagreements: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.counts += other.counts
        self.allowed += other.allowed
        self.disagreements += other.disagreements
        self.shown = (self.shown + other.shown)[:_SHOWN]


class Reference:
    """pysnmp's decoding. Stateless."""

    def __init__(self) -> None:
        self._codecs = [
            CommunityCodec(SnmpV1V2.model_validate({"version": version, "community": COMMUNITY.decode()}))
            for version in ("1", "2c")
        ]

    def verdict(self, sample: Sample, octets: bytes) -> Verdict:
        """On a message of version 1 or 2c, or of version 3 a PDU, that should answer `REQUEST_ID`."""
        found = self._read(sample, octets)
        return self._judge(sample, found) if found is not None and found.request_id == REQUEST_ID else REFUSED

    def _read(self, sample: Sample, octets: bytes) -> Response | None:
        message = octets
        if sample.version == VERSION_3:
            message = element(0x30, b"\x02\x01\x01" + element(4, COMMUNITY) + octets)
        try:
            found = self._codecs[sample.version != VERSION_1].decode(message)
        except BadReply:
            return None
        assert isinstance(found, Response)
        return found

    @staticmethod
    def _judge(sample: Sample, found: Response) -> Verdict:
        if found.error_status:
            return Verdict(True, found.error_status, (None,) * len(sample.oids))
        if sample.operation is not Operation.GET_BULK and tuple(varbind.oid for varbind in found.varbinds) != sample.oids:
            return REFUSED
        values = {varbind.oid: varbind for varbind in reversed(found.varbinds)}
        cells = tuple(
            values[oid].number(Tag(tag)) if oid in values else None
            for oid, tag in zip(sample.oids, sample.tags, strict=True)
        )
        return Verdict(True, 0, cells)


class Fuzz:
    """Both decoders, side by side. `close` it."""

    def __init__(self, samples: Sequence[Sample], seed: int) -> None:
        self.outcome = Outcome()
        self._chance = random.Random(seed)
        self._samples = [sample for sample in samples for _ in range(_COPIES)]
        self._reference = Reference()
        self._words: dict[int, str] = {}
        self._slots = Slots(self._bad)
        self._agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._agent.bind(("127.0.0.1", 0))
        self._agent.settimeout(10.0)
        self._engine = Engine(credentials(None, None))
        peer = self._engine.peer()
        self._all = self._slots.add([self._request(sample, peer) for sample in self._samples])
        self._right = [self._reference.verdict(sample, sample.answer) for sample in self._samples]

    def close(self) -> None:
        self._slots.close()
        self._agent.close()

    def _request(self, sample: Sample, peer: UsmPeer) -> SlotRequest:
        security = peer if sample.version == VERSION_3 else Community(sample.version, COMMUNITY)
        return slot_request(sample, self._agent.getsockname(), security)

    def _bad(self, slot: int, word: str, count: int = 1) -> None:
        self._words[slot] = word

    def run(self, answers: int) -> Outcome:
        """At least so many mutants."""
        while self.outcome.counts.total() < answers:
            mutants = [sample.answer for sample in self._samples]
            for sample, right, verdict in zip(self._samples, self._right, self._ask(mutants), strict=True):
                assert verdict == right, f"a right answer is refused, or read wrongly: {sample.name}"
            for _ in range(_DEPTH):
                others = self._chance.sample(mutants, len(mutants))
                mutants = [mutated(one, other, self._chance) for one, other in zip(mutants, others, strict=True)]
                verdicts = self._ask(mutants)
                self._compare(mutants, verdicts)
                mutants = [
                    mutant if verdict.accepted and ID_OCTETS in mutant else sample.answer
                    for sample, mutant, verdict in zip(self._samples, mutants, verdicts, strict=True)
                ]
        return self.outcome

    def _ask(self, answers: Sequence[bytes]) -> list[Verdict]:
        """Each slot's request is answered with this, under the request-id that it has now."""
        self._words.clear()
        assert self._slots.send(self._all) == len(self._all)
        ids = self._slots.awaited[self._all]
        asker = [self._agent.recvfrom(65535)[1] for _ in self._all][0]  # noqa: RUF015  all are read
        for sample, answer, request_id in zip(self._samples, answers, ids.tolist(), strict=True):
            octets = answer.replace(ID_OCTETS, request_id.to_bytes(4, "big"))
            if sample.version == VERSION_3:
                octets = self._engine.message(request_id, octets)
            self._agent.sendto(octets, asker)
        self._slots.receive()  # loopback: what was sent has come
        verdicts = [self._verdict(slot, sample) for slot, sample in zip(self._all.tolist(), self._samples, strict=True)]
        self._slots.give_up(self._all)
        return verdicts

    def _verdict(self, slot: int, sample: Sample) -> Verdict:
        slots = self._slots
        if slots.pending[slot] or slots.reported[slot]:  # a Report is no answer, it only is one's end
            assert not slots.valid[slot].any(), "a cell of a refused answer is valid"
            return REFUSED
        width = len(sample.oids)
        assert not slots.valid[slot, width:].any(), "a cell beyond the request is valid"
        pairs = zip(slots.values[slot, :width].tolist(), slots.valid[slot, :width].tolist(), strict=True)
        return Verdict(True, int(slots.error_status[slot]), tuple(value if valid else None for value, valid in pairs))

    def _compare(self, mutants: Sequence[bytes], ours: Sequence[Verdict]) -> None:
        for slot, sample, octets, verdict in zip(self._all.tolist(), self._samples, mutants, ours, strict=True):
            reference = self._reference.verdict(sample, octets)
            self._count(sample, octets, verdict, reference, self._words.get(slot, ""))

    def _count(self, sample: Sample, octets: bytes, ours: Verdict, reference: Verdict, word: str) -> None:
        outcome = self.outcome
        if ours == reference:
            whole = ours.accepted and None not in ours.cells
            outcome.counts["refused by both" if not ours.accepted else "equal, whole" if whole else "equal, in part"] += 1
        elif entry := allowed_for(octets, ours.accepted, reference.accepted):
            outcome.counts["allowed to differ"] += 1
            outcome.allowed[entry] += 1
        else:
            outcome.counts["disagreement"] += 1
            outcome.disagreements += 1
            if len(outcome.shown) < _SHOWN:
                outcome.shown.append(f"{sample.name}: {octets.hex()}\n  ours {ours} ({word})\n  reference {reference}")
