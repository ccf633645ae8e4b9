"""SNMPv3's user-based security with one device on the fast path (RFC 3414): keys, hash states and messages are made once.

Engine ID, clock and keys come from pysnmp (`pysnmp_stack/codec.py`), which talks to the device first, and again when it
answers with a Report. An answer is opened only when it has the level of security that was asked for, this engine ID, user
and context and a right digest, and lies in the time window.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from server.core.clock import boot_ns
from server.core.errors import BadReply, NoAnswer
from server.sources.snmp.batch.privacy import privacy_of
from server.sources.snmp.batch.security import ReportReceived
from server.sources.snmp.batch.usm_keys import Digest
from server.sources.snmp.batch.usm_message import (
    AUTH,
    MOST_NUMBER,
    PRIV,
    REPORT,
    RESPONSE,
    Form,
    Scoped,
    number,
    read_form,
    read_scoped,
    report_name,
)
from server.sources.snmp.batch.usm_template import Envelope, Template, octets_of
from server.sources.snmp.engine import Unsupported
from server.sources.snmp.pysnmp_stack.codec import V3Codec
from server.sources.snmp.pysnmp_stack.keys import Learned
from server.sources.snmp.settings import SnmpV3

_WINDOW_S = 150  # RFC 3414 section 2.2.3
_MOST_KNOWN = 64  # templates and layouts of one device: sizes of its messages
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the last answer of this size looked like."""

    form: Form
    scoped: Scoped


class UsmPeer:
    """One device and one user. Implements `Usm`. Not to be shared between threads.

    Mutable state: `_boots`, `_latest_s` and `_started_ns` (the device's clock: when it read 0, by ours), `_templates` by
    sizes, and `_layouts` by the size of an answer.
    """

    def __init__(self, credentials: SnmpV3, learned: Learned) -> None:
        """Raises Unsupported, with what is missing, where pysnmp has to be used."""
        auth, privacy = credentials.auth, credentials.privacy
        form = read_form(learned.answer)
        self._digest = Digest(auth.protocol, learned.auth_key) if auth is not None else None
        self._privacy = privacy_of(privacy.protocol, learned.privacy_key) if privacy is not None else None
        self._level = AUTH * (auth is not None) | PRIV * (privacy is not None)
        self._envelope = Envelope(
            level=self._level,
            engine_id=learned.engine_id,
            user=learned.user,
            digest_octets=self._digest.octets if self._digest is not None else 0,
            context_engine_id=learned.context_engine_id,
            context_name=learned.context_name,
        )
        if form.boots == MOST_NUMBER:
            raise Unsupported(
                "the device's snmpEngineBoots has reached its end: it needs a new engine ID (RFC 3414 section 2.3)"
            )
        self._boots = form.boots
        self._latest_s = number(learned.answer, form.time)
        self._started_ns = learned.received_ns - self._latest_s * _SECOND_NS
        self._templates: dict[tuple[int, int, int], Template] = {}
        self._layouts: dict[int, _Layout] = {}

    @property
    def overhead(self) -> int:
        """Octets of an answer around its varbinds, at most."""
        return self._envelope.overhead

    def encode(self, pdu: bytes, request_id: int) -> bytes:
        """The message of this PDU (whole, tag and length included); its msgID is `request_id`."""
        time_s = min((boot_ns() - self._started_ns) // _SECOND_NS, MOST_NUMBER)
        template = self._template(len(pdu), request_id, time_s)
        data, salt = template.scoped + pdu, b""
        if self._privacy is not None:
            data, salt = self._privacy.encrypt(data, self._boots, time_s)
        message = bytearray(template.head)
        place = template.message_id
        message[place] = request_id.to_bytes(place.stop - place.start, "big")
        place = template.time
        message[place] = time_s.to_bytes(place.stop - place.start, "big")
        message[template.salt] = salt
        message += data
        if self._digest is not None:
            message[template.digest] = self._digest.of(message)
        return bytes(message)

    def _template(self, pdu_octets: int, request_id: int, time_s: int) -> Template:
        sizes = (pdu_octets, octets_of(request_id), octets_of(time_s))
        template = self._templates.get(sizes)
        if template is None:
            scoped = self._envelope.scoped(pdu_octets)
            octets = len(scoped) + pdu_octets
            if self._privacy is not None:
                octets = self._privacy.size(octets)
            template = self._envelope.template(scoped, octets, self._boots, *sizes[1:])
            if len(self._templates) >= _MOST_KNOWN:
                self._templates.clear()
            self._templates[sizes] = template
        return template

    def open(self, datagram: bytes, request_id: int) -> bytes:
        """The PDU, whole, of a message that answers `request_id`. Whether the PDU itself bears that id is not looked at.

        Raises BadReply, whose text is the word of the failed check, or ReportReceived.
        """
        layout = self._layouts.get(len(datagram))
        if layout is None or not layout.form.fits(datagram):
            return self._open_anew(datagram, request_id)
        form = layout.form
        if int.from_bytes(datagram[form.message_id], "big", signed=True) != request_id:
            raise BadReply("request_id")
        self._verify(datagram, form)
        plaintext = self._plaintext(datagram, form)
        if plaintext.startswith(layout.scoped.prefix):
            return plaintext[layout.scoped.pdu]
        return self._pdu(plaintext, self._scoped(plaintext))

    def _open_anew(self, datagram: bytes, request_id: int) -> bytes:
        form = read_form(datagram)
        if number(datagram, form.message_id) != request_id:
            raise BadReply("request_id")
        if not form.level & AUTH:
            self._raise_report(datagram[form.data])
        if (form.engine_id, form.user) != (self._envelope.engine_id, self._envelope.user):
            raise BadReply("security")
        if form.level != self._level:
            if form.level != AUTH or not self._level & PRIV:
                raise BadReply("security")
            # A device that cannot decrypt says so without encrypting.
            self._check_digest(datagram, form)
            self._raise_report(datagram[form.data])
            raise BadReply("security")
        self._verify(datagram, form)
        plaintext = self._plaintext(datagram, form)
        scoped = self._scoped(plaintext)
        pdu = self._pdu(plaintext, scoped)
        if len(self._layouts) >= _MOST_KNOWN:
            self._layouts.clear()
        self._layouts[len(datagram)] = _Layout(form, scoped)
        return pdu

    def _raise_report(self, plaintext: bytes) -> None:
        scoped = read_scoped(plaintext, 0)
        if plaintext[scoped.pdu.start] == REPORT:
            raise ReportReceived(report_name(plaintext[scoped.pdu]))

    def _verify(self, datagram: bytes, form: Form) -> None:
        if self._digest is not None:
            self._check_digest(datagram, form)
            self._check_time(form.boots, number(datagram, form.time))

    def _check_digest(self, datagram: bytes, form: Form) -> None:
        digest = self._digest
        given = datagram[form.digest]
        if digest is None or len(given) != digest.octets:
            raise BadReply("security")
        blank = bytearray(datagram)
        blank[form.digest] = bytes(len(given))
        if not hmac.compare_digest(digest.of(blank), given):
            raise BadReply("security")

    def _check_time(self, boots: int, time_s: int) -> None:
        """RFC 3414 section 3.2 (7b), of an authentic message."""
        now_ns = boot_ns()
        if boots > self._boots or (boots == self._boots and time_s > self._latest_s):
            if boots != self._boots:
                self._templates.clear()
            self._boots, self._latest_s = boots, time_s
            self._started_ns = now_ns - time_s * _SECOND_NS
        earliest_s = (now_ns - self._started_ns) // _SECOND_NS - _WINDOW_S
        if boots == MOST_NUMBER or boots < self._boots or time_s < earliest_s:
            raise BadReply("security")

    def _plaintext(self, datagram: bytes, form: Form) -> bytes:
        if self._privacy is None:
            return datagram[form.data]
        return self._privacy.decrypt(datagram[form.data], form.boots, number(datagram, form.time), datagram[form.salt])

    def _scoped(self, plaintext: bytes) -> Scoped:
        """Raises BadReply where it does not read or names another context, or ReportReceived."""
        scoped = read_scoped(plaintext, self._privacy.most_padding if self._privacy is not None else 0)
        if plaintext[scoped.pdu.start] == REPORT:
            raise ReportReceived(report_name(plaintext[scoped.pdu]))
        if (scoped.engine_id, scoped.name) != (self._envelope.context_engine_id, self._envelope.context_name):
            raise BadReply("security")
        return scoped

    def _pdu(self, plaintext: bytes, scoped: Scoped) -> bytes:
        if plaintext[scoped.pdu.start] != RESPONSE:
            raise BadReply("pdu_type")
        return plaintext[scoped.pdu]


def usm_peer(codec: V3Codec, credentials: SnmpV3) -> UsmPeer:
    """The fast path to a device that has answered a request of this codec, made with these credentials.

    Raises Unsupported, or NoAnswer where the device has not answered yet, or not since its engine ID was asked for anew.
    """
    learned = codec.learned()
    if learned is None:
        raise NoAnswer("the device has not answered a version 3 request yet")
    return UsmPeer(credentials, learned)
