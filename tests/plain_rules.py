"""The rules a second time, written down plainly from the text of their second edition: no table, no engine, no haste.

`assess_plainly` looks at each hour that may have been, says what each rule says, and takes the most urgent. It shares
nothing with referrals/needs.py but the shape of an incident. Used by test_second_edition.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from reporting.vocabulary.incident import Incident

URGENCIES = ("NOW", "H24", "H72", "H120", "SOON", "READY")
EDGES = (48, 72, 96, 120, 168, 240, 336, 720)  # every limit that the text names
CLOSES = {"N_PEP": 72, "N_EC": 120, "N_HEPB": 336}
PRESENT = {"D_BLEEDING", "D_BREATHING", "D_HEAD_SIGNS", "D_SEVERE_PAIN", "D_PREG_DANGER"}
EVENT = {"D_STAB_GUN", "D_DRUGGED", "D_UNCONSCIOUS", "D_FRACTURE", "D_BURN"}
STATE = {"POLICE", "SERENAZGO", "OTHER_STATE"}
TRANS = {"TRANS_WOMAN", "TRANSSEXUAL", "TRAVESTI", "TRANS_MAN", "NONBINARY"}
FORCE = {
    "S_WEAPON",
    "I_WOUND",
    "I_BITE",
    "I_HEAD_BLOW",
    "I_BRUISES",
    "D_HEAD_SIGNS",
    "D_STRANGLED",
    "D_STAB_GUN",
    "D_FRACTURE",
    "D_BURN",
    "D_DRUGGED",
}
MEDICAL = ("N_EMERG_MED", "N_PEP", "N_EC", "N_STI", "N_HEPB", "N_WOUND", "N_MED_CHECK", "N_PREG")
KEPT = {*MEDICAL, "N_FORENSIC", "N_CRISIS_MH", "N_MISSING", "N_CHILD_PROT", "N_SAFETY_PLAN"}


@dataclass
class Plain:
    """What follows: need -> urgency, need -> hours left where it has a window, the must-nots, the core type."""

    needs: dict[str, str]
    left: dict[str, float | None]
    must_not: set[str]
    create_referral: bool
    gbvims: str


class Story:
    """An incident with the words of the definitions."""

    def __init__(self, told: Incident) -> None:
        self.told = told
        self.acts, self.who, self.flags, self.wants = told.violence, told.perpetrator, told.flags, told.wants
        self.mine = "KILLING_DISAPPEARANCE" not in self.acts or told.hurt_too == "yes"
        self.demanded = "SEXUAL_EXTORTION" in self.acts and told.extortion_act != "no"
        self.sexual_act = self.mine and (self.did("RAPE", "SEXUAL_ASSAULT", "STEALTHING") or self.demanded)
        self.inside = self.mine and (self.did("RAPE", "FORCED_SEX_WORK") or self.demanded)
        self.exposure = self._exposure()
        self.state = bool(self.who & STATE)
        self.minor = told.age in ("U14", "A14_17")
        self.trans = told.identity in TRANS
        self.any_d = any(flag.startswith("D_") for flag in self.flags)
        self.any_s = any(flag.startswith("S_") for flag in self.flags)
        self.med_d = any(flag.startswith("D_") and flag not in ("D_STRANGLED", "D_SUICIDE") for flag in self.flags)
        self.severe = (
            self.did("RAPE", "ATTEMPTED_KILLING", "FORCED_SEX_WORK", "CONFINEMENT", "KILLING_DISAPPEARANCE")
            or ("SEXUAL_EXTORTION" in self.acts and told.extortion_act == "yes")
            or self.any_d
            or self.has("S_PERP_NEAR", "S_LOCKED", "S_DEATH_THREAT", "S_NO_SAFE_PLACE")
        )
        self.reports = self.wish("W_REPORT", "W_REPORT_POLICE")
        self.legal = self.wish("W_LEGAL") or self.reports
        self.ongoing = told.ongoing is not False  # nothing said: it may go on
        self.may_be_pregnant = told.pregnant_possible in ("yes", "unsure", None)
        self.partner_or_family = self.by("PARTNER", "FAMILY")

    def did(self, *codes: str) -> bool:
        return bool(self.acts & set(codes))

    def by(self, *codes: str) -> bool:
        return bool(self.who & set(codes))

    def has(self, *codes: str) -> bool:
        return bool(self.flags & set(codes))

    def wish(self, *codes: str) -> bool:
        return bool(self.wants & set(codes))

    def _exposure(self) -> bool:
        if not self.mine:
            return False
        doubt = self.has("I_GENITAL", "D_BLEEDING", "D_DRUGGED", "D_UNCONSCIOUS")
        a = self.did("STEALTHING")
        b = self.inside and not (self.told.condom == "yes" and not doubt)
        c = self.did("SEXUAL_ASSAULT") and (
            self.told.contact == "yes" or self.has("I_GENITAL", "D_DRUGGED", "D_UNCONSCIOUS")
        )
        return a or b or c

    @property
    def record_only(self) -> bool:
        return "W_RECORD_ONLY" in self.wants and not self.wants - {"W_RECORD_ONLY", "W_INFO"}


class Hour:
    """One hour that may have been: what each rule says there."""

    def __init__(self, story: Story, hours: float | None) -> None:
        self.story, self.hours = story, hours
        self.needs: dict[str, str] = {}
        self.left: dict[str, list[float]] = {}
        self.fired: set[str] = set()

    def upto(self, limit: float) -> bool:
        """`h <= limit`, or `?`: an unknown time counts as inside until it is over for certain."""
        return (self.story.told.told_ago if self.hours is None else self.hours) <= limit

    def past(self, limit: float) -> bool:
        """`h > limit`: an unknown time is past only what she told longer ago than that."""
        return not self.upto(limit)

    def say(self, rule: str, need: str, urgency: str, closes: float | None = None) -> None:
        self.fired.add(rule)
        if need not in self.needs or URGENCIES.index(urgency) < URGENCIES.index(self.needs[need]):
            self.needs[need] = urgency
        if closes is not None:
            self.left.setdefault(need, []).append(closes)

    def signs(self) -> None:
        s, fresh = self.story, self.story.told.signs_ago <= 48
        if s.flags & PRESENT:
            self.say("R01", *(("N_EMERG_MED", "NOW") if fresh else ("N_MED_CHECK", "H24")))
        if s.flags & EVENT:
            if self.upto(72) or s.ongoing:
                self.say("R01", "N_EMERG_MED", "NOW")
            else:
                self.say("R01", "N_MED_CHECK", "H24" if self.upto(336) else "SOON")
        if s.has("D_STRANGLED"):
            if self.upto(72) or (s.has("D_UNCONSCIOUS") and self.upto(336)):
                self.say("R02", "N_EMERG_MED", "NOW")
            elif self.upto(336):
                self.say("R02b", "N_EMERG_MED", "H24")
            else:
                self.say("R02b", "N_MED_CHECK", "H24" if s.has("D_UNCONSCIOUS") else "SOON")
        if s.has("I_HEAD_BLOW"):
            self.say("R03", "N_MED_CHECK", "H24" if self.upto(48) else "SOON")

    def exposed(self) -> None:
        s = self.story
        if s.exposure and self.upto(72):
            self.say("R04", "N_PEP", "NOW", 72)
        if s.exposure and s.may_be_pregnant:
            if self.upto(96):
                self.say("R05", "N_EC", "H24", 120)
            elif self.upto(120):
                self.say("R05", "N_EC", "NOW", 120)
            else:
                self.say("R06", "N_PREG", "SOON")
        if s.told.pregnant_possible == "pregnant" and s.mine:
            self.say("R06", "N_PREG", "SOON")
        if s.exposure:
            self.say("R07", "N_STI", "H72" if self.upto(336) else "SOON")
        if s.exposure and self.upto(336):
            self.say("R08", "N_HEPB", "H72", 336)

    def wounds(self) -> None:
        s = self.story
        if s.has("I_WOUND", "I_GENITAL") and not s.med_d:
            self.say("R09", "N_WOUND", "H24" if self.upto(72) else "SOON")
        if s.has("I_BITE"):
            self.say("R09b", "N_WOUND", "H24" if self.upto(168) else "SOON")
            if self.upto(336):
                self.say("R09b", "N_HEPB", "H72", 336)
            if self.upto(72):
                self.say("R09b", "N_MED_CHECK", "H24")

    def examinations(self) -> None:
        s = self.story
        if s.sexual_act and self.upto(168):
            self.say("R10", "N_FORENSIC", "H24", 168)
        hurt = any(flag[:2] in ("I_", "D_") and flag != "D_SUICIDE" for flag in s.flags)
        attacked = hurt and s.did("PHYSICAL_ASSAULT", "ATTEMPTED_KILLING", "ROBBERY")
        if s.mine and attacked and s.legal and self.upto(240) and "R10" not in self.fired:
            self.say("R11", "N_FORENSIC", "H72")
        if s.has("D_DRUGGED") and self.upto(120):
            self.say("R11b", "N_FORENSIC", "H24", 120)
        if s.sexual_act and self.past(168):
            self.say("R12", "N_MED_CHECK", "SOON")
        if s.inside and not s.exposure:
            self.say("R12b", "N_MED_CHECK", "H24" if self.upto(168) else "SOON")
            self.say("R12b", "N_STI", "H72" if self.upto(168) else "SOON")
        touched = s.mine and s.did("SEXUAL_ASSAULT") and s.told.contact != "no"
        if touched and not s.exposure and self.upto(168):
            self.say("R12c", "N_MED_CHECK", "H24")
        asleep = s.has("D_DRUGGED", "D_UNCONSCIOUS") and not s.sexual_act
        if asleep and not (s.mine and s.did("FORCED_SEX_WORK")) and self.upto(168):
            self.say("R12d", "N_MED_CHECK", "H24")
        if s.wish("W_HEALTH") and (s.has("I_BRUISES") or not any(need in self.needs for need in MEDICAL)):
            self.say("R13", "N_MED_CHECK", "SOON")

    def support(self) -> None:
        s = self.story
        if s.has("D_SUICIDE"):
            self.say("R14", "N_CRISIS_MH", "NOW")
        if self.upto(720):
            self.say("R15", "N_PFA", "H24" if s.severe else "SOON")
        if s.wish("W_PSYCH"):
            self.say("R16", "N_COUNSEL", "SOON")
        elif s.severe or self.past(720):
            self.say("R16", "N_COUNSEL", "READY")

    def safety(self) -> None:
        s = self.story
        if s.has("S_PERP_NEAR", "S_LOCKED"):
            self.say("R17", "N_SAFETY_PLAN", "NOW")
        if s.has("S_DEATH_THREAT", "S_WEAPON", "S_NO_SAFE_PLACE", "S_CHILDREN") or s.did(
            "ATTEMPTED_KILLING", "FORCED_SEX_WORK", "CONFINEMENT"
        ):
            self.say("R18", "N_SAFETY_PLAN", "H24")
        again = s.did("STALKING", "THREATS", "EXTORTION", "OUTING") or s.has("S_KNOWS_HOME") or s.ongoing
        if again or s.by("PARTNER", "FAMILY", "THIRD_PARTY", "CRIMINAL_GROUP"):
            self.say("R19", "N_SAFETY_PLAN", "SOON")
        if s.has("S_NO_SAFE_PLACE"):
            self.say("R20", "N_SHELTER", "NOW")
        elif s.wish("W_SHELTER"):
            self.say("R20", "N_SHELTER", "H24")

    def law(self) -> None:
        s = self.story
        if not s.state and s.legal:
            self.say("R21", "N_LEGAL_INFO", "SOON")
        if s.state and s.did("ARBITRARY_DETENTION") and s.ongoing:
            self.say("R22", "N_LEGAL_STATE", "NOW")
        grave = s.sexual_act or s.did("PHYSICAL_ASSAULT", "ATTEMPTED_KILLING") or s.any_d or s.any_s
        if s.state and self.upto(720) and grave:
            self.say("R23", "N_LEGAL_STATE", "H24")
        if s.state and not self.fired & {"R22", "R23"}:
            self.say("R24", "N_LEGAL_STATE", "SOON" if s.legal or s.ongoing else "READY")
        deadly = s.has("S_DEATH_THREAT", "S_WEAPON", "S_PERP_NEAR", "S_LOCKED", "D_STRANGLED")
        if s.partner_or_family and (deadly or s.did("ATTEMPTED_KILLING")):
            self.say("R25", "N_PROTECTION", "H24")
        elif s.partner_or_family and (s.ongoing or s.did("PHYSICAL_ASSAULT", "RAPE", "THREATS", "STALKING")):
            self.say("R25", "N_PROTECTION", "SOON")
        if s.reports:
            self.say("R26", "N_REPORT_ROUTE", "H24" if s.sexual_act and self.upto(168) else "SOON")

    def others(self) -> None:
        s = self.story
        if s.did("FORCED_SEX_WORK"):
            self.say("R27", "N_TRAFFICKING", "NOW" if s.has("S_LOCKED") else "H24")
        if s.minor:
            grave = s.told.age == "U14" or s.did("FORCED_SEX_WORK") or s.sexual_act or s.any_s
            self.say("R28", "N_CHILD_PROT", "NOW" if grave else "H24")
        else:
            self.say("R29", "N_PEER", "SOON" if s.wish("W_PEER") else "READY")
        if s.told.docs == "NONE" or s.wish("W_DOCS"):
            self.say("R30", "N_DOCS", "SOON")
        if s.did("OUTING") and s.ongoing:
            self.say("R31", "N_DIGITAL", "H24")
        elif s.did("OUTING", "STALKING") or s.wish("W_DIGITAL"):
            self.say("R31", "N_DIGITAL", "SOON")
        if s.wish("W_MONEY"):
            self.say("R32", "N_ECON", "SOON")
        if s.did("SERVICE_DENIAL", "FORCED_HEALTH_EXAM"):
            self.say("R33", "N_SERVICE_COMPLAINT", "SOON" if s.legal else "READY")

    def companion(self) -> None:
        s = self.story
        if not s.did("KILLING_DISAPPEARANCE"):
            return
        if s.told.victim_state != "killed":
            self.say("R35", "N_MISSING", "NOW")
        self.say("R35", "N_SAFETY_PLAN", "H24")
        if s.state:
            self.say("R35", "N_LEGAL_STATE", "H24")
        else:
            self.say("R35", "N_LEGAL_INFO", "SOON")

    def looked_at(self) -> Hour:
        for part in (
            self.signs,
            self.exposed,
            self.wounds,
            self.examinations,
            self.support,
            self.safety,
            self.law,
            self.others,
            self.companion,
        ):
            part()
        return self


def assess_plainly(told: Incident) -> Plain:
    """What the text says of an incident, as it is at the moment of looking."""
    story = Story(told)
    looked = [Hour(story, hour).looked_at() for hour in _hours_that_may_have_been(told)]
    needs: dict[str, str] = {}
    windows: dict[str, list[float]] = {}
    for one in looked:
        for need, urgency in one.needs.items():
            needs[need] = min(urgency, needs.get(need, "READY"), key=URGENCIES.index)
        for need, closes in one.left.items():
            windows.setdefault(need, []).extend(closes)
    latest = told.hours[1] if told.hours else None
    left = {need: None if latest is None else max(0.0, min(ends) - latest) for need, ends in windows.items()}
    fired = {rule for one in looked for rule in one.fired}
    must_not = set(_must_nots(story, fired, set(needs)))
    if story.record_only:
        needs = {need: _lowered(need, urgency) for need, urgency in needs.items()}
    return Plain(needs, left, must_not, not story.record_only, _core_type(story))


def _hours_that_may_have_been(told: Incident) -> list[float | None]:
    if told.hours is None:
        return [None]
    first, last = told.hours
    inside = [hour for edge in EDGES for hour in (edge, edge + 1e-6) if first <= hour <= last]
    return [first, (first + last) / 2, *inside, last]


def _lowered(need: str, urgency: str) -> str:
    return urgency if need in KEPT or urgency == "NOW" else "READY"


def _must_nots(s: Story, fired: set[str], needs: set[str]) -> list[str]:
    told = s.told
    surely = told.told_ago if told.hours is None else told.hours[0]  # so long ago it is at least
    no_police = (s.state or told.police_safe != "yes") and not s.wish("W_REPORT_POLICE")
    outed = s.by("PARTNER", "FAMILY", "LANDLORD", "NEIGHBOUR_PUBLIC", "PROVIDER") or s.did("OUTING")
    by_choice = not s.minor and not s.did("FORCED_SEX_WORK", "FORCED_MARRIAGE", "CONFINEMENT")
    careful = bool(fired & {"R10", "R11", "R11b"} and needs & {"N_EMERG_MED", "N_PEP", "N_EC", "N_WOUND"})
    at_stake = {
        "MN_AUTO_REPORT": True,
        "MN_POLICE": no_police,
        "MN_CEM_COMISARIA": no_police,
        "MN_SAME_STATION": s.by("POLICE") and s.wish("W_REPORT_POLICE"),
        "MN_REQUIRE_ID": told.docs in ("NONE", "MISMATCH"),
        "MN_MIGRATION_AUTH": told.docs == "NONE" and told.migrant is not False,
        "MN_DEADNAME": s.trans,
        "MN_ASSUME_BODY": s.trans,
        "MN_PEP_PROMISE": s.exposure and surely > 72,
        "MN_EC_PROMISE": s.exposure and surely > 120,
        "MN_CONTACT_BACK": not s.wish("W_CONTACT_BACK"),
        "MN_PROMISE_SECRECY": s.minor,
        "MN_NOTIFY_FAMILY": s.minor or s.partner_or_family,
        "MN_OUT": outed,
        "MN_RESCUE": s.by("THIRD_PARTY") and by_choice,
        "MN_DELAY_CARE": careful,
        "MN_REQUIRE_REPORT": s.sexual_act,
        "MN_MEDIATION": s.partner_or_family or s.by("THIRD_PARTY"),
        "MN_CREATE_REFERRAL": s.record_only,
    }
    return [code for code, holds in at_stake.items() if holds]


def _core_type(s: Story) -> str:
    """The standard questions in their order; only what was said counts, whoever it happened to."""
    happened = "SEXUAL_EXTORTION" in s.acts and s.told.extortion_act == "yes"
    by_force = bool(s.flags & FORCE) and s.did("ROBBERY", "CONFINEMENT", "ARBITRARY_DETENTION")
    questions = {
        "G1_RAPE": s.did("RAPE", "STEALTHING") or happened or (s.minor and s.did("FORCED_SEX_WORK")),
        "G2_SEXUAL_ASSAULT": s.did("SEXUAL_ASSAULT"),
        "G3_PHYSICAL_ASSAULT": by_force or s.did("PHYSICAL_ASSAULT", "ATTEMPTED_KILLING", "KILLING_DISAPPEARANCE"),
        "G4_FORCED_MARRIAGE": s.did("FORCED_MARRIAGE"),
        "G5_DENIAL": s.did(
            "FORCED_SEX_WORK",
            "EXTORTION",
            "CONDOM_CONFISCATION",
            "ROBBERY",
            "NONPAYMENT",
            "ECONOMIC_ABUSE",
            "SERVICE_DENIAL",
            "FORCED_HEALTH_EXAM",
        ),
        "G6_PSYCHOLOGICAL": s.did(
            "SEXUAL_EXTORTION", "CONFINEMENT", "ARBITRARY_DETENTION", "THREATS", "STALKING", "OUTING", "PSYCH_ABUSE"
        ),
    }
    return next((core for core, yes in questions.items() if yes), "G0_NON_GBV")
