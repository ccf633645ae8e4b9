"""Which interfaces are polled."""

from __future__ import annotations

from dataclasses import dataclass

from server.sources.snmp.mib import UP
from server.sources.snmp.settings import InterfaceFilter, Rule


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a rule looks at. Types and statuses are the MIB's numbers, None where the device has none."""

    name: str
    alias: str
    if_type: int | None
    admin_status: int | None
    oper_status: int | None


def accepts(chosen: InterfaceFilter, candidate: Candidate) -> bool:
    """Any include rule matches, or there is none; and no exclude rule matches."""
    included = not chosen.include or any(_matches(rule, candidate) for rule in chosen.include)
    return included and not any(_matches(rule, candidate) for rule in chosen.exclude)


def _matches(rule: Rule, candidate: Candidate) -> bool:
    return (
        rule.name_fits(candidate.name)
        and rule.alias_fits(candidate.alias)
        and (rule.type is None or rule.type == candidate.if_type)
        and (rule.status is None or _has_status(rule.status, candidate))
    )


def _has_status(status: str, candidate: Candidate) -> bool:
    known = candidate.admin_status if status.startswith("admin_") else candidate.oper_status
    # What is neither up nor known to be up counts as down: testing, dormant, notPresent, lowerLayerDown.
    return (known == UP) == status.endswith("up")
