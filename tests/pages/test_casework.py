"""From the queue to an outcome: nothing goes anywhere without her yes, and she knows whether somebody read it."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from referrals.casework import queue, ranks, referral, views
from referrals.directory import snapshot
from referrals.help.answers import help_for
from referrals.matching.order import Search
from referrals.needs import assessment, exclusions
from referrals.pages import queue as queue_page
from referrals.pages.case_corrections import SHE_SAID
from reporting.cases import actions, case_file, records, summary
from reporting.cases import desk as cases_desk
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile, Record, open_case_file
from reporting.cases.desk import open_case
from reporting.cases.follow_up import next_steps
from reporting.cases.records import EditConflict
from reporting.cases.seal_contexts import tally_context
from reporting.cases.store import CannotOpen
from reporting.cases.summary import SummaryContent
from reporting.crypto import sealing
from reporting.crypto.receipts import Receipt
from reporting.sessions import day_seeds
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow, RecordRow, SheetRow, TeamRow
from reporting.teams.keyring import Keys
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.vocabulary.tally import tally_from_block
from reporting.web import languages
from tests.copies import Filling, with_a_colleague
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import opens_newest_case, say, signs_in

YES_TO_LETTERS = frozenset({"C_LETTERS"})
RAPE = Incident(
    about="SELF",
    violence=frozenset({"RAPE"}),
    perpetrator=frozenset({"CLIENT"}),
    hours=(5.0, 5.0),
    region="UCAYALI",
    department="PE25",
    age="A25_34",
    condom="no",
    wants=frozenset({"W_HEALTH"}),
    police_safe="no",
)
CHILD = Incident(
    about="SELF",
    violence=frozenset({"RAPE"}),
    perpetrator=frozenset({"FAMILY"}),
    hours=(5.0, 5.0),
    region="UCAYALI",
    department="PE25",
    age="A14_17",
    condom="no",
)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def at_the_desk(app: Flask, place: Place, name: str = "rosa") -> Phone:
    return signs_in(app, place, place.workers[name])


def comes_back(app: Flask, receipt: Receipt) -> Phone:
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=" ".join(receipt.digits()))
    assert phone.status == 203, phone.words[:300]
    return phone


def a_service(app: Flask, place: Place, need: str, incident: Incident = RAPE) -> str:
    """A service that may be offered to her for a need."""
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    found = help_for(shelf, incident, place.clock(), languages=("es",))
    return next(one for one in found.needs if one.need.code == need).offers[0].service_id


def only_case(place: Place, keys: Keys) -> records.Case:
    with writing(place.engine) as db:
        return open_case(db, keys, cases_desk.queue(db, keys)[0][0].case, place.clock())


# ── the whole way ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_way_from_a_report_to_an_outcome_and_to_nothing_left(app: Flask, place: Place) -> None:
    marker = "zanahoria4711"
    receipt = place.receives(RAPE, f"Fue anoche. {marker}", consents=YES_TO_LETTERS)
    rosa = at_the_desk(app, place)
    rosa.opens("/es/equipo/casos")
    assert say("Medicine that can prevent HIV (PEP)") in rosa.words
    assert "Quedan 66 h" in rosa.words
    opens_newest_case(rosa)
    case = rosa.path
    rosa.presses("letter", text=f"Te leímos. {marker}")
    her = comes_back(app, receipt)
    assert say("A case worker read it on %(when)s.", when="15 de enero de 2027") in her.words
    her.presses("write", text=f"Gracias. {marker}")
    rosa.opens("/es/equipo/casos?folder=unread")
    opens_newest_case(rosa)
    rosa.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=["violence", "narrative"])
    assert say("Proposed; waits for her answer") in rosa.words
    # She sees exactly what would be told, and says no.
    her = comes_back(app, receipt)
    decides(her, "no")
    assert say("Noted: no. Nothing is told to them from now on.") in her.words
    rosa.opens(case)
    assert say("She said no") in rosa.words
    assert say("It is sent") not in buttons(rosa)
    # Another is proposed, and she says yes.
    rosa.presses("propose", service=a_service(app, place, "N_STI"), need="N_STI", fields=["violence"])
    her = comes_back(app, receipt)
    words = decides(her, "yes")
    assert say("What happened") in words
    assert marker not in words.split(say("They would be told only this"))[1], "her words were not among the fields"
    for step, state in (
        ("send", "Sent; the service has not answered"),
        ("accept", "The service accepted"),
        ("reach", "She was attended"),
        ("close", "closed"),
    ):
        steps(rosa, case, step)
        assert say(state) in rosa.words
    rosa.presses("close", outcome="REACHED", reason="La atendieron el martes.")
    assert say("Closed:") in rosa.words
    # She erases. Nothing of hers is left in any file.
    her = comes_back(app, receipt)
    her.presses("ask-erase")
    her.presses("erase")
    rosa.opens(case)
    assert rosa.status == 404
    place.engine.dispose()
    for path in Path(place.settings.instance).rglob("*"):
        if path.is_file():
            assert marker.encode() not in path.read_bytes(), path


def buttons(desk: Phone) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]+)", desk.text)


def decides(her: Phone, answer: str) -> str:
    """She looks at the first proposal and says yes or no. Returns what she read."""
    form = next(form for form in her.forms if form.action.endswith("/propuesta"))
    her.repeats(form.action, form.values | {name: [value] for name, value in form.buttons})
    words = her.words
    her.presses(answer)
    return words


def steps(desk: Phone, case: str, step: str) -> None:
    """The newest referral moves on."""
    desk.opens(case)
    forms = [form for form in desk.forms if ("step", step) in form.buttons and "number" in form.values]
    desk.repeats(case, forms[-1].values | {"step": [step]})
    assert desk.status == 203, desk.words[:300]


# ── her yes ─────────────────────────────────────────────────────────────────────────────────────────────────


class Walk:
    """A folder in memory, with the moves that people try on its one referral."""

    def __init__(self, incident: Incident, service: Any) -> None:
        summary = SummaryContent(answers_from_incident(incident), 0, 0, "open", unread=False, answered=False)
        facts = {"answers": answers_from_incident(incident), "language": "es", "hour": 0, "unseen": False, "voice": 0}
        kept = [Record(1, "facts", 1, facts), Record(2, "consents", 1, {"codes": []}), Record(3, "desk", 1, {})]
        self.folder, self.service, self.number = CaseFile(9, b"", kept, summary, b""), service, 0
        self.trail: list[str] = []

    def tries(self, act: str, by: int) -> None:
        """One person tries one thing; what is refused changes nothing."""
        folder, number, now = self.folder, self.number, 3600.0
        try:
            if act == "propose" and not number:
                self.number = referral.propose(folder, by, self.service, "N_PFA", ("need", "age"), now)
            elif act == "protect" and not number:
                self.number = referral.protect_child(folder, by, self.service, "N_PFA", ("need",), "sola", now)
            elif act == "agree":
                referral.agree(folder, number, now, voice=by)
            elif act == "no":
                referral.say_no(folder, number, now)
            elif act == "send":
                referral.send(folder, number, by, self.service, now)
            else:
                referral.move(folder, number, act, by, now)
        except (NotAllowed, CannotOpen):
            return
        self.trail.append(act)

    @property
    def referral(self) -> records.Referral | None:
        return case_file.referral_of(self.folder.all_of("referral")[0]) if self.number else None


ACTS = [
    "propose",
    "protect",
    "agree",
    "no",
    "send",
    "withdraw",
    "accept",
    "refuse",
    "miss",
    "reach",
    "close",
    "confirm",
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = a_furnished_place(tmp_path_factory.mktemp("walks") / "instance")
    return dict(snapshot.snapshot_of(lambda: reading(place.engine)).cards.by_id)


@settings(max_examples=300)
@given(
    data=st.data(),
    child=st.booleans(),
    tried=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 2)), max_size=12),
)
def test_no_walk_over_the_moves_sends_anything_without_her_yes_or_two_who_protect_a_child(
    services: dict[str, Any], data: st.DataObject, child: bool, tried: list[tuple[str, int]]
) -> None:
    incident = CHILD if child else RAPE
    walk = Walk(incident, services[data.draw(st.sampled_from(sorted(services)))])
    for act, by in tried:
        before = walk.referral
        walk.tries(act, by)
        after = walk.referral
        if after is None or after.state != "sent" or (before and before.state == "sent"):
            continue
        confirmed = {one["by"] for one in after.moves if one["move"] in {"propose", "confirm"}}
        assert after.consent if not after.protects else (child and len(confirmed) == 2)
        assert not exclusions.forbidden(walk.service, assessment.assess(incident).must_not, incident)


def test_every_state_is_reached_by_some_move_and_every_move_has_a_name() -> None:
    reached = {move.next for moves in referral.MOVES.values() for move in moves.values()}
    assert reached | {referral.PROPOSED, referral.TO_PROTECT} == set(referral.MOVES) == set(referral.STATES)
    assert {name for moves in referral.MOVES.values() for name in moves} == set(referral.MOVE_NAMES)


def test_a_yes_to_other_fields_sends_nothing() -> None:
    consent = {"hour": 0, "how": "receipt", "by": 0, "service": "a", "fields": ["need"]}
    one = records.Referral(1, "a", "N_PFA", ("need", "age"), "consented", consent, (), "")
    assert not referral.may_go(one)


def test_what_may_not_be_offered_may_not_be_proposed(app: Flask, place: Place) -> None:
    place.receives(RAPE, consents=YES_TO_LETTERS)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    police = next(card.service_id for card in shelf.cards.by_id.values() if card.police == "yes")
    assert f'value="{police}"' not in desk.text
    form = desk.form("propose")
    desk.repeats(case, form.values | {"service": [police], "need": ["N_PFA"], "go": ["propose"]})
    assert desk.status == 422
    assert say("This service may not be offered to her.") in desk.words


# ── swapped, cut, older ─────────────────────────────────────────────────────────────────────────────────────


def body_of(place: Place, receipt: Receipt, kind: str) -> tuple[int, bytes]:
    """The sealed bytes of her newest paper of a kind."""
    visit = place.comes_back(receipt)
    with reading(place.engine) as db:
        row = db.get_one(CaseRow, visit.case)
        number = open_case_file(db, row, visit.key).all_of(kind)[-1].number
        return number, db.get_one(RecordRow, number).body


@pytest.mark.parametrize("kind", ["consents", "letter"])
def test_an_older_record_put_back_shuts_the_case_with_the_same_sentence(app: Flask, place: Place, kind: str) -> None:
    receipt = place.receives(RAPE, consents=YES_TO_LETTERS)
    her = comes_back(app, receipt)
    her.presses("write", text="primera")
    number, older = body_of(place, receipt, kind)
    comes_back(app, receipt).presses("deny-C_LETTERS")
    if kind == "letter":
        with writing(place.engine) as db:
            db.delete(db.get_one(RecordRow, number))
            db.flush()
            db.add(RecordRow(id=number + 1, case_id=place.comes_back(receipt).case, body=older))
    else:
        with writing(place.engine) as db:
            db.execute(update(RecordRow).where(RecordRow.id == number).values(body=older))
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    link = re.search(r'href="(/es/equipo/caso/\d+)"', desk.text)
    assert link
    desk.opens(link.group(1))
    assert desk.status == 404
    assert say("This case does not open: it was erased, or a record of it was changed.") in desk.words


def test_a_record_cut_out_shuts_the_case(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, consents=YES_TO_LETTERS)
    number, _ = body_of(place, receipt, "consents")
    with writing(place.engine) as db:
        db.delete(db.get_one(RecordRow, number))
    rosa, case = place.signs_in("rosa"), place.comes_back(receipt).case
    with writing(place.engine) as db, pytest.raises(CannotOpen):
        open_case(db, rosa, case, place.clock())


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_told_by_voice_she_gets_a_code_and_comes_back_by_herself(app: Flask, place: Place) -> None:
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/voz")
    assert say("Say this first") in desk.words
    desk.presses("next", allows_letters="yes", about="SELF")
    desk.presses("next", region="UCAYALI")
    desk.presses("next", violence=["ROBBERY"])
    desk.presses("next", age="A25_34")
    desk.presses("next")
    desk.presses("next", narrative="Me lo contó por teléfono.")
    repeated = desk.form("send")
    desk.presses("send")
    words, _ = desk.receipt()
    desk.repeats("/es/equipo/voz", repeated.values | {"go": ["send"]})
    assert place.cases() == 1, "sent twice is kept once"
    her = Phone(app)
    her.opens("/es/volver")
    her.sends("code", code=" ".join(words))
    assert "Me lo contó por teléfono." in her.words
    assert say("A case worker read it on %(when)s.", when="15 de enero de 2027") in her.words
    desk.opens("/es/equipo/casos?folder=mine")
    link = re.search(r"/es/equipo/caso/\d+", desk.text)
    assert link
    desk.opens(link.group())
    assert say("told by voice to %(name)s", name="rosa") in desk.words


def test_told_for_another_person_nothing_is_referred_until_she_says_yes_herself(app: Flask, place: Place) -> None:
    receipt = place.receives(replace(RAPE, about="OTHER"), consents=YES_TO_LETTERS)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    assert (
        say("Somebody else told this. No contact with her and no referral before she herself says yes.") in desk.words
    )
    assert "propose" not in [value for form in desk.forms for _, value in form.buttons]
    her = comes_back(app, receipt)
    her.presses("allow-C_HERSELF")
    desk.opens(case)
    desk.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=[])
    assert say("Proposed; waits for her answer") in desk.words


def test_a_child_is_protected_by_two_with_a_reason_that_she_can_read(app: Flask, place: Place) -> None:
    receipt = place.receives(CHILD, consents=YES_TO_LETTERS)
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    service = a_service(app, place, "N_CHILD_PROT", CHILD)
    rosa.presses("protect", service=service, need="N_CHILD_PROT", fields=[])
    assert say("Write the reason. She will be able to read it.") in rosa.words
    rosa.presses("protect", service=service, need="N_CHILD_PROT", fields=[], reason="Vive con quien la agrede.")
    assert ("step", "confirm") not in [button for form in rosa.forms for button in form.buttons]
    her = comes_back(app, receipt)
    assert "Vive con quien la agrede." in her.words
    milagros = at_the_desk(app, place, "milagros")
    steps(milagros, case, "confirm")
    steps(milagros, case, "send")
    assert say("Sent; the service has not answered") in milagros.words


def test_an_adult_is_never_protected_without_her_yes(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.repeats(
        case,
        desk.form("propose").values | {"go": ["protect"], "service": ["linea100"], "need": ["N_PFA"], "reason": ["x"]},
    )
    assert say("Only somebody under 18 can be protected without her yes.") in desk.words


def test_two_cases_of_one_person_name_each_other(app: Flask, place: Place) -> None:
    place.receives(RAPE, "primera vez")
    lost = place.receives(RAPE, "perdí mi código")
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        numbers = {card.case for card in cases_desk.queue(db, keys)[0]}
    second = place.comes_back(lost).case
    (first,) = numbers - {second}
    desk = at_the_desk(app, place)
    desk.opens(f"/es/equipo/caso/{second}")
    desk.presses("link", alias=records.alias(first).lower())
    assert f"/es/equipo/caso/{first}" in desk.text
    desk.opens(f"/es/equipo/caso/{first}")
    assert f"/es/equipo/caso/{second}" in desk.text
    desk.presses("link", alias="ZZ-000")
    assert desk.status == 422


def test_a_threat_is_folded_away_and_nothing_of_it_is_lost(app: Flask, place: Place) -> None:
    place.receives(Incident(), "Sabemos dónde están.")
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.presses("mark", mark="threat_to_team", reason="Nombra a una compañera.")
    desk.opens("/es/equipo/casos")
    assert case not in desk.text
    desk.opens("/es/equipo/casos?folder=threats")
    assert case in desk.text
    desk.opens(case)
    assert "Sabemos dónde están." in desk.words
    desk.presses("unmark", mark="threat_to_team", reason="Era otra cosa.")
    desk.opens("/es/equipo/casos")
    assert case in desk.text


def test_what_is_called_untrue_needs_a_second_case_worker(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, "cuento", consents=frozenset({"C_STATS"}))
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    for _ in range(2):
        rosa.presses("mark", mark="not_a_report", because="UNTRUE", reason="Lo vi en una película.")
    rosa.opens("/es/equipo/casos")
    assert case in rosa.text, "one person alone marks nothing as untrue"
    milagros = at_the_desk(app, place, "milagros")
    milagros.opens(case)
    milagros.presses("mark", mark="not_a_report", because="UNTRUE", reason="Yo también.")
    milagros.opens("/es/equipo/casos")
    assert case not in milagros.text
    assert tally_of(place, receipt) is None, "what is no report is not counted"
    milagros.opens(case)
    milagros.presses("unmark", mark="not_a_report", reason="Nos equivocamos.")
    assert tally_of(place, receipt) is not None


def tally_of(place: Place, receipt: Receipt) -> Any:
    """What the statistics team would count of her case."""
    case, keys = place.comes_back(receipt).case, place.signs_in("rosa")
    with reading(place.engine) as db:
        team = db.scalars(select(TeamRow.id).where(TeamRow.kind == "statistics")).one()
        sealed = db.get_one(CaseRow, case).tally
    opened = sealing.open_with(keys.of(team, 1).sealing, tally_context(case, team, 1), sealed)
    return tally_from_block(opened)


def test_taking_back_the_yes_to_figures_makes_her_tally_void(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, consents=frozenset())
    her = comes_back(app, receipt)
    her.presses("allow-C_STATS")
    assert tally_of(place, receipt) is not None
    comes_back(app, receipt).presses("deny-C_STATS")
    assert tally_of(place, receipt) is None


def test_setting_an_answer_right_keeps_what_she_said_beside_it(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, consents=YES_TO_LETTERS)
    her = comes_back(app, receipt)
    her.presses("right-2")
    her.presses("save-2", violence=["ROBBERY"])
    assert say("It is changed. What you told before is kept beside it.") in her.words
    case = only_case(place, place.signs_in("rosa"))
    assert (case.first.violence, case.incident.violence) == ({"RAPE"}, {"ROBBERY"})
    desk = at_the_desk(app, place)
    desk.opens(f"/es/equipo/caso/{case.id}/respuestas/2")
    desk.sends("reason", violence=["RAPE"], reason="")
    assert desk.status == 422
    desk.sends("reason", violence=["RAPE"], reason="Me lo dijo por teléfono.")
    case = only_case(place, place.signs_in("rosa"))
    assert [(one.by == 0, one.incident.violence) for one in case.corrections] == [
        (True, {"ROBBERY"}),
        (False, {"RAPE"}),
    ]
    assert say("Medicine that can prevent HIV (PEP)") in desk.words, "needs are worked out anew"


def test_what_the_deadlines_hang_on_is_set_right_on_the_page_of_the_case_by_who_says_who_said_it(
    app: Flask, place: Place
) -> None:
    place.receives(replace(RAPE, flags=frozenset({"D_BLEEDING"}), docs="NONE", hours=(200.0, 200.0)))
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    before = only_case(place, place.signs_in("rosa"))
    place.clock.on(hours=10)
    desk = at_the_desk(app, place)
    desk.opens(case)
    desk.sends("condom", age="A18_24", reason="")
    assert desk.status == 422
    assert desk.form(holding="reason").values["age"] == ["A18_24"], "what was chosen is kept"
    assert not only_case(place, place.signs_in("rosa")).corrections, "nobody said who said it"
    desk.sends("reason", reason="Lo leí mal.")
    now = only_case(place, place.signs_in("rosa"))
    assert [one.reason for one in now.corrections] == ["Lo leí mal."]
    assert now.incident == replace(before.incident, age="A18_24"), "nothing else changed, no window is any longer"
    assert now.told_hours.signs == before.told_hours.signs, "nobody asked how she is"
    assert now.incident_at(place.clock()).hours == pytest.approx((210.0, 210.0), abs=1)
    desk.opens(case)
    form = desk.form(holding="condom")
    desk.repeats(form.action, form.values | {"number": ["30"], "unit": ["hours"], "said": ["y"]})
    assert desk.status == 203
    newest = only_case(place, place.signs_in("rosa"))
    assert newest.incident_at(place.clock()).hours == pytest.approx((30.0, 30.0), abs=1)
    assert newest.corrections[-1].reason == say(SHE_SAID)


def test_the_time_moves_on_while_another_answer_is_set_right(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE)
    place.clock.on(hours=10)
    her = comes_back(app, receipt)
    her.presses("right-2")
    her.presses("save-2", violence=["RAPE", "ROBBERY"])
    case = only_case(place, place.signs_in("rosa"))
    assert case.incident_at(place.clock()).hours == pytest.approx((15.0, 15.0), abs=1)


def test_what_she_adds_is_added_once_and_read_by_the_team(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, "Lo primero.")
    her = comes_back(app, receipt)
    her.presses("ask-more")
    her.presses("add", text="")
    assert her.status == 422
    her.presses("add", text="Y después volvió.")
    assert her.last
    her.repeats(*her.last)
    case = only_case(place, place.signs_in("rosa"))
    assert (case.narrative, [one.text for one in case.additions]) == ("Lo primero.", ["Y después volvió."])


def test_the_way_to_reach_her_is_shredded_when_she_takes_it_back(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE)
    her = comes_back(app, receipt)
    her.presses("ask-reach")
    her.presses("reach", number_to_call="999 111 222", channel="CALL")
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    assert "999 111 222" not in desk.words, "folded"
    desk.presses("contact")
    assert "999 111 222" in desk.words
    comes_back(app, receipt).presses("deny-C_CONTACT")
    desk.opens(case)
    assert "contact" not in [value for form in desk.forms for _, value in form.buttons]


def test_the_way_to_reach_her_goes_thirty_days_after_closing(app: Flask, place: Place) -> None:
    place.receives(RAPE, contact={"number_to_call": "999"}, consents=frozenset({"C_CONTACT"}))
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("close", outcome="REACHED", reason="Está bien.")
    place.clock.on(days=31)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
    at_the_desk(app, place).opens("/es/equipo/casos")
    assert not only_case(place, place.signs_in("rosa")).has_contact


def test_somebody_else_changed_this(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    case = opens_newest_case(rosa)
    milagros.opens(case)
    rosa.presses("label", labels="urgente")
    milagros.presses("close", outcome="REACHED", reason="ya")
    assert milagros.status == 409
    assert "ya" in milagros.form("close").values["reason"], "what she typed is kept"
    assert only_case(place, place.signs_in("rosa")).state == "open"


def test_whoever_sets_an_answer_right_meanwhile_reads_what_happened_to_the_case(app: Flask, place: Place) -> None:
    place.receives(RAPE, consents=YES_TO_LETTERS)
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    case = opens_newest_case(rosa)
    milagros.opens(f"{case}/respuestas/4")
    rosa.opens(case)
    rosa.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=[])
    milagros.sends("reason", reason="me lo dijo", docs="NONE")
    assert milagros.status == 409
    assert say("Since then:") in milagros.words
    assert say("Proposed") in milagros.words
    assert milagros.form(holding="reason").values["reason"] == ["me lo dijo"], "what was typed is kept"


def test_somebody_else_changed_this_is_said_before_that_a_reason_is_missing(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    milagros.opens(opens_newest_case(rosa))
    rosa.presses("label", labels="urgente")
    milagros.presses("close", outcome="REFUSED", reason=" ")
    assert milagros.status == 409
    milagros.presses("close")
    assert milagros.status == 422
    assert "Escribe por qué." in html.unescape(milagros.text)


def test_nothing_is_closed_while_a_referral_is_on_its_way() -> None:
    folder = Walk(RAPE, None).folder
    folder.add("referral", {"state": "sent"})
    with pytest.raises(NotAllowed):
        actions.close(folder, 1, "REACHED", "ya", 0.0)


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────


def test_several_cases_are_done_skipped_and_failed_in_one_go(app: Flask, place: Place) -> None:
    for _ in range(3):
        place.receives(RAPE)
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        cards, _ = cases_desk.queue(db, keys)
    desk = at_the_desk(app, place)
    for card in reversed(cards):
        desk.opens(f"/es/equipo/caso/{card.case}")
    desk.presses("close", outcome="REACHED", reason="ya")
    desk.opens("/es/equipo/casos?folder=all")
    desk.presses("close", cases=[card.case for card in cards] + [5], outcome="REACHED", reason="juntos")
    done = f"2 ({records.alias(cards[1].case)}, {records.alias(cards[2].case)})"
    told = say("Done: %(done)s. Left as they were: %(skipped)s. Failed: %(failed)s.", done=done, skipped=1, failed=1)
    assert told in desk.words


def test_what_is_wrong_with_an_act_on_several_cases_is_said_and_all_that_was_typed_comes_back(
    app: Flask, place: Place
) -> None:
    for _ in range(2):
        place.receives(RAPE)
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    marked = desk.form("close").offered["cases"][0]
    typed = {"reason": "llamó su tía", "outcome": "REACHED"}
    for cases, label, wrong in (([], "una", "Mark the cases first."), ([marked], "x" * 25, "")):
        desk.presses("close", cases=cases, label=label, **typed)
        assert desk.status == 422
        assert say(wrong or "This is too long.") in desk.words
        kept = desk.form("close").values
        assert kept.get("cases", []) == cases
        assert {name: kept[name] for name in ("label", *typed)} == {"label": [label]} | {
            name: [value] for name, value in typed.items()
        }
    for name, value in (("words", "x" * 201), ("name", "x" * 25)):
        button = {"words": "words", "name": "find"}[name]
        desk.presses(button, **{name: value})
        assert (desk.status, desk.form(button).values[name]) == (422, [value])
    desk.opens("/es/equipo/casos")
    for part in ("folder", "sort"):
        desk.repeats(desk.form("view").action, desk.form("view").values | {part: ["zz"], "go": ["view"]})
        assert desk.status == 422
        assert say("Choose from the list.") in desk.words


def test_a_view_is_an_address_and_pages_of_fifty_follow_each_other(app: Flask, place: Place) -> None:
    for _ in range(53):
        place.receives(RAPE)
    desk = at_the_desk(app, place)
    seen: list[str] = []
    desk.opens("/es/equipo/casos?sort=oldest&owner=nobody")
    seen += re.findall(r"/es/equipo/caso/\d+", desk.text)
    assert len(seen) == 50
    following = re.search(r'class="c-outline" href="([^"]+)"', desk.text)
    assert following
    desk.opens(following.group(1).replace("&amp;", "&"))
    seen += re.findall(r"/es/equipo/caso/\d+", desk.text)
    assert len(seen) == len(set(seen)) == 53


def test_words_are_found_and_stand_in_no_address(app: Flask, place: Place) -> None:
    place.receives(RAPE, "el chofer del mototaxi")
    place.receives(RAPE, "otra cosa")
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    desk.presses("words", words="Mototáxi CHOFER")
    assert len(set(re.findall(r"/es/equipo/caso/\d+", desk.text))) == 1
    with reading(place.engine) as db:
        assert "searched" in [act.act for act in cases_desk.acts(db, place.signs_in("rosa"), {})]


def test_a_search_goes_on_where_it_stopped_until_every_case_was_looked_through(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_page, "SLICE", 2)
    for number in range(5):
        place.receives(RAPE, f"el chofer {number}" if number % 2 == 0 else "otra cosa")
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    desk.presses("words", words="chofer")
    for looked in (2, 4, 5):
        assert f"Buscado «chofer» en {looked} de los 5 casos de «Hoy»." in desk.words, "it says where"
        if looked < 5:
            form = desk.form(holding="search")
            desk.repeats(form.action, form.values | {"go": ["words"]})
    assert len(set(re.findall(r"/es/equipo/caso/\d+", desk.text))) == 3
    assert say("Go on looking") not in desk.words
    with reading(place.engine) as db:
        acts = [act.act for act in cases_desk.acts(db, place.signs_in("rosa"), {})]
    assert acts.count("searched") == 1


def test_a_name_that_no_case_has_is_said_and_not_that_there_are_no_cases(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    desk.presses("find", name="zzz")
    assert "Aquí ningún caso se llama «zzz»." in desk.words


def test_a_search_without_words_is_answered_in_words(app: Flask, place: Place) -> None:
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    desk.presses("words", words="   ")
    assert say("Write the words to look for.") in desk.words


def test_the_queue_knows_folders_owners_and_short_names() -> None:
    def card(case: int, **parts: Any) -> summary.Summary:
        return summary.Summary(
            case, 1, "", replace(SummaryContent({}, 0, case, "open", unread=False, answered=False), **parts)
        )

    cards = [card(1, owner=7), card(2, labels=("Chacra",)), card(3, marks=("junk",)), card(4, state="closed")]
    cache = queue.worked_out(cards, 0)

    def chosen(**view: Any) -> list[int]:
        return [rank.case for rank in views.chosen(cache, views.View(**{"folder": "open"} | view), 7, 0)]

    assert chosen() == [1, 2]
    assert chosen(owner="mine") == [1]
    assert chosen(owner="nobody") == [2]
    assert chosen(name="chácra") == [2]
    assert chosen(folder="junk") == [3]
    assert chosen(folder="all", name=records.alias(4)) == [4]


@given(
    hours=st.tuples(st.floats(0, 900), st.floats(0, 900)).map(sorted), later=st.floats(0, 900), looks=st.integers(1, 9)
)
def test_a_remembered_rank_is_the_rank_worked_out_anew(hours: list[float], later: float, looks: int) -> None:
    incident = Incident(violence=frozenset({"RAPE"}), condom="no", pregnant_possible="yes", hours=(hours[0], hours[1]))
    content = SummaryContent(answers_from_incident(incident), 0, 0, "open", unread=False, answered=False)
    card, sheet = summary.Summary(1, 1, "seal", content), ranks.QueueCache()
    for look in range(looks + 1):
        now = later * 3600 * look / looks
        fresh = queue.rank_of(card, now)
        if not sheet.ranks or not sheet.ranks[1].holds(now):
            sheet = queue.worked_out([card], now)
        kept = sheet.ranks[1]
        assert (kept.place, kept.urgency, kept.danger, kept.lies) == (
            fresh.place,
            fresh.urgency,
            fresh.danger,
            fresh.lies,
        )
        assert kept.closes == pytest.approx(fresh.closes, abs=0.01)
        sheet = queue.from_bytes(queue.to_bytes(sheet))


def test_a_sheet_of_the_queue_that_was_tampered_with_is_worked_out_anew(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/casos")
    desk.opens("/es/equipo/casos")
    with writing(place.engine) as db:
        row = db.scalars(select(SheetRow)).first()
        assert row is not None
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    desk.opens("/es/equipo/casos")
    assert say("Medicine that can prevent HIV (PEP)") in desk.words


def test_an_old_version_cannot_be_written_over(place: Place) -> None:
    place.receives(RAPE)
    keys = place.signs_in("rosa")
    case = only_case(place, keys)
    with (
        writing(place.engine) as db,
        cases_desk.at_desk(db, keys, case.id, place.clock(), "changed", seen=case.version) as one,
    ):
        actions.label(one, keys.member, ["a"], place.clock())
    with (
        writing(place.engine) as db,
        pytest.raises(EditConflict),
        cases_desk.at_desk(db, keys, case.id, place.clock(), "changed", seen=case.version) as one,
    ):
        actions.label(one, keys.member, ["b"], place.clock())


def test_a_reporter_sees_nothing_that_the_team_keeps_for_itself(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, consents=YES_TO_LETTERS)
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("note", text="solo nosotras")
    desk.presses("risk", text="su pareja contesta el celular")
    desk.presses("label", labels="chacra")
    her = comes_back(app, receipt)
    assert not [word for word in ("solo nosotras", "su pareja contesta", "chacra") if word in her.words]


def test_who_tells_for_somebody_else_is_asked_for_her_own_way_and_the_desk_says_whose_it_is(
    app: Flask, place: Place
) -> None:
    phone = Phone(app)
    phone.opens("/es/contar")
    phone.presses("other")
    assert say("Is this person hurt or in danger now?") in phone.words
    while "age" not in phone.form("next").kinds:
        phone.presses("next")
    assert say("How old is this person?") in phone.words
    assert say("How old are you?") not in phone.words
    while "wants" not in phone.form("next").kinds:
        phone.presses("next")
    phone.presses("next", wants=["W_CONTACT_BACK"])
    assert say("How can the team reach you, who tell this?") in phone.words
    phone.presses("next", number_to_call="999 111 222")
    assert say("This person wants") in phone.words
    assert say("You want") not in phone.words
    phone.presses("send")
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("contact")
    assert "999 111 222" in desk.words
    assert say("How to reach whoever told it") in desk.words
    assert say("How to reach her safely") not in desk.words


def test_the_way_to_whoever_told_it_is_never_told_to_a_service_as_hers(app: Flask, place: Place) -> None:
    receipt = place.receives(replace(RAPE, about="OTHER"), consents=YES_TO_LETTERS)
    her = comes_back(app, receipt)
    her.presses("ask-reach")
    her.presses("reach", number_to_call="999 111 222")
    her.presses("allow-C_HERSELF")
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=["contact"])
    her = comes_back(app, receipt)
    decides(her, "yes")
    desk.opens(case)
    link = re.search(rf"{case}/hoja/\d+", desk.text)
    assert link
    desk.opens(link.group())
    assert desk.status == 203
    assert say("What she needs") in desk.words
    assert "999 111 222" not in desk.words


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_guide_says_every_move_of_the_table_in_words(app: Flask, place: Place, language: str) -> None:
    desk = at_the_desk(app, place)
    desk.opens(f"/{language}/equipo/guia")
    catalogue = languages.load((language,))[language]
    moves = desk.text.split('<h2 id="moves">')[1].split('<h2 id="next">')[0]
    told = [
        [html.unescape(words) for words in re.findall(r"<(?:h3|td)>(.*?)</(?:h3|td)>", part)]
        for part in re.findall(r"<details>(.*?)</details>", moves, re.DOTALL)
    ]
    table = [
        [referral.STATES[state]]
        + [
            words
            for name, move in moves.items()
            for words in (referral.MOVE_NAMES[name], referral.WHO[move.who], referral.STATES[move.next])
        ]
        for state, moves in referral.MOVES.items()
        if moves
    ]
    assert told == [[languages.say(catalogue, one) for one in part] for part in table]


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_guide_says_for_every_state_what_is_next_or_why_nothing_is(app: Flask, place: Place, language: str) -> None:
    desk = at_the_desk(app, place)
    desk.opens(f"/{language}/equipo/guia")
    catalogue = languages.load((language,))[language]
    told = [
        [html.unescape(words) for words in re.findall(r"(?:<h4>|<strong>|<p>)([^<\n]+)<", part)]
        for part in re.findall(r"<details>(.*?)</details>", desk.text.split('<h2 id="next">')[1], re.DOTALL)
    ]
    names = (referral.STATES, next_steps.CASE_STATES)
    table = [
        [named[state], row.name if isinstance(row, next_steps.StepRow) else "No step", row.because]
        for named, table in zip(names, (next_steps.OF_REFERRAL, next_steps.OF_CASE), strict=True)
        for state, row in table.items()
    ]
    assert told == [[languages.say(catalogue, text) for text in row] for row in table]


def test_who_opens_a_case_waits_for_one_match_and_not_for_two(
    place: Place, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What she is shown and what the team may propose come out of the same."""
    ranked, rank = Counter[str](), Search._rank  # noqa: SLF001 -- every listing is gone through there
    place.receives(RAPE)
    desk = signs_in(app, place, place.workers["rosa"])
    monkeypatch.setattr(
        Search, "_rank", lambda self, need, listings: (ranked.update([need.code]), rank(self, need, listings))[1]
    )
    case = opens_newest_case(desk)
    ranked.clear()
    desk.opens(case)
    assert len(ranked) > 3
    assert set(ranked.values()) == {1}
