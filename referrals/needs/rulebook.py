"""The rules in words: every need rule, window and must-not as printed, and who has signed which version.

Reads the same rows that decide (`rules`) and nothing else. A signature names the version of a row, which is
the hash of its content and of its Spanish words: when the row changes, the signature says that it is out of
date.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from referrals.needs import rules as needs_rules
from referrals.needs.codes import MUST_NOTS, URGENCY_LABELS
from reporting.i18n import N_
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.needs import NEEDS

SIGNATURE_COLUMNS: Final = ("row", "version", "name", "profession", "day")
SIGNED, OUTDATED, UNSIGNED = "signed", "outdated", "unsigned"
FACTS: Final = {
    "mine": N_("It happened to the person who tells it"),
    "demanded": N_("Sex was demanded, and she does not say that it did not happen"),
    "demanded_and_done": N_("Sex was demanded, and it happened"),
    "exposure": N_("Possible contact with semen or blood"),
    "sexual_act": N_("A sexual act"),
    "inside": N_("A sexual act with penetration, forced work, or sex that was demanded"),
    "doubt": N_("A sign for which she cannot know whether a condom protected"),
    "protected": N_("A condom the whole time, without a sign against it"),
    "present_sign": N_("A danger sign right now"),
    "event_sign": N_("A danger sign that comes from what was done"),
    "state": N_("Police, serenazgo or another authority did it"),
    "minor": N_("Under 18"),
    "trans": N_("Trans, travesti, transsexual or non-binary person"),
    "medD": N_("A sign of danger in the body"),
    "danger": N_("A sign of danger in the body, choking, or thoughts of ending life"),
    "unsafe": N_("A sign that it is not safe now"),
    "injured": N_("An injury"),
    "severe": N_("Something severe: rape, attempted killing, forced work, confinement, a disappearance or danger now"),
    "injured_by_force": N_("An injury of hers by blows, an attempted killing or a robbery"),
    "wants_report": N_("Wants to report it"),
    "wants_legal": N_("Wants legal advice or to report it"),
    "close": N_("Partner or family did it"),
    "refused_care": N_("A service refused or mistreated her"),
    "record_only": N_("Wants only that it is written down"),
    "ongoing": N_("It goes on, or that is not known"),
    "migrant:yes": N_("From another country"),
    "migrant:no": N_("Not from another country"),
    "migrant:unknown": N_("Perhaps from another country"),
}
FIELDS: Final = {
    "age": N_("Age"),
    "condom": N_("Condom"),
    "contact": N_("Did genitals, semen or blood touch her?"),
    "docs": N_("Papers"),
    "extortion_act": N_("Did what was demanded happen?"),
    "hurt_too": N_("Was she hurt too?"),
    "identity": N_("Identity"),
    "police_safe": N_("Is the police safe for her?"),
    "pregnant_possible": N_("Can there be a pregnancy?"),
    "victim_state": N_("What happened to the companion?"),
}
LABELS: Final = {code: label for codes in VOCABULARY.values() for code, label in codes.items()}


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody who read a row and stands for it."""

    name: str
    profession: str
    day: str
    current: bool  # of the row as it is now


@dataclass(frozen=True, slots=True)
class Row:
    """A definition, rule or must-not as it is printed. Labels are message ids; `says` and `why` in both languages."""

    id: str  # R02.1: the first row of rule R02
    title: str
    urgency: str  # message id; a rule alone has one
    after: float | None  # hours
    until: float | None
    signs_after: float | None  # hours since she told how she is right now
    signs_until: float | None
    closes: float | None
    all: tuple[tuple[str, str], ...]  # (field, answer), the first may be empty
    any: tuple[tuple[str, str], ...]
    none: tuple[tuple[str, str], ...]
    says: Mapping[str, str]
    why: Mapping[str, str]
    sources: tuple[Mapping[str, Any], ...]
    version: str
    signatures: tuple[Signature, ...]

    @property
    def state(self) -> str:
        """Signed as it is, signed as it was, or not at all."""
        if any(signature.current for signature in self.signatures):
            return SIGNED
        return OUTDATED if self.signatures else UNSIGNED


def _read(name: str) -> str:
    return resources.files("referrals").joinpath("data", name).read_text("utf-8")


def definitions(signatures: str | None = None) -> tuple[Row, ...]:
    """What the words of the rules mean: every fact that is made from answers, in the order in which they are made."""
    signed, words = _signatures(signatures), tomllib.loads(_read("rules-es.toml"))
    return tuple(_row(name, row, words, signed) for name, row in _numbered(needs_rules.FACTS))


def rules(signatures: str | None = None) -> tuple[Row, ...]:
    """Every need rule with its window, in the order in which they are looked at; the last is the one on consent."""
    signed, words = _signatures(signatures), tomllib.loads(_read("rules-es.toml"))
    record = needs_rules.RECORD_ONLY
    numbered: list[tuple[str, Any]] = [*_numbered(needs_rules.RULES), (record.id, record)]
    return tuple(_row(name, row, words, signed) for name, row in numbered)


def must_nots(signatures: str | None = None) -> tuple[Row, ...]:
    """Every must-not."""
    signed, words = _signatures(signatures), tomllib.loads(_read("rules-es.toml"))
    return tuple(_row(name, row, words, signed) for name, row in _numbered(needs_rules.MUST_NOT_ROWS))


def _numbered(rows: Iterable[Any]) -> list[tuple[str, Any]]:
    listed, seen = list(rows), Counter[str]()
    total = Counter(row.id for row in listed)
    named = []
    for row in listed:
        seen[row.id] += 1
        named.append((f"{row.id}.{seen[row.id]}" if total[row.id] > 1 else row.id, row))
    return named


def _row(name: str, row: Any, words: Mapping[str, Any], signed: Mapping[str, list[dict[str, str]]]) -> Row:
    spanish = words.get(name, {})
    condition = getattr(row, "condition", None) or needs_rules.Condition(all=frozenset({getattr(row, "when", "")}))
    says, why = getattr(row, "says", ""), row.why
    version = _version(name, row, condition, spanish)
    return Row(
        id=name,
        title=MUST_NOTS.get(row.id) or FACTS.get(row.id) or NEEDS.get(getattr(row, "need", ""), ""),
        urgency=URGENCY_LABELS.get(getattr(row, "urgency", ""), ""),
        after=_hours(condition.after),
        until=_hours(condition.until),
        signs_after=_hours(condition.signs_after),
        signs_until=_hours(condition.signs_until),
        closes=getattr(row, "closes", None),
        all=_labels(condition.all),
        any=_labels(condition.any),
        none=_labels(condition.none),
        says={"en": says, "es": spanish.get("says", says)},
        why={"en": why, "es": spanish.get("why", why)},
        sources=tuple({"id": source, **needs_rules.SOURCES[source]} for source in row.sources),
        version=version,
        signatures=tuple(
            Signature(signature["name"], signature["profession"], signature["day"], signature["version"] == version)
            for signature in signed.get(name, ())
        ),
    )


def _version(name: str, row: Any, condition: needs_rules.Condition, spanish: Mapping[str, str]) -> str:
    content = [
        name,
        getattr(row, "need", ""),
        getattr(row, "urgency", ""),
        getattr(row, "closes", None),
        *(sorted(part) for part in (condition.all, condition.any, condition.none, getattr(row, "keeps", ()))),
        condition.after,
        condition.until,
        condition.signs_after,
        condition.signs_until,
        getattr(row, "says", ""),
        row.why,
        sorted(spanish.items()),
        list(row.sources),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _hours(limit: float) -> float | None:
    return limit if 0 <= limit < float("inf") else None


def _labels(codes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(_label(code) for code in sorted(codes))


def _label(code: str) -> tuple[str, str]:
    if code in FACTS:
        return "", FACTS[code]
    field, _, answer = code.partition(":")
    if answer:
        return FIELDS[field], VOCABULARY[field].get(answer, answer)
    return "", LABELS.get(code) or NEEDS.get(code, code)


def _signatures(text: str | None) -> dict[str, list[dict[str, str]]]:
    by_row: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(_read("signatures.csv") if text is None else text)):
        by_row.setdefault(row["row"], []).append(row)
    return by_row
