"""What is asked: seven pages as data, the forms made from them, and the incident that the answers mean.

What cannot matter is not asked; everything can be passed over. Knows neither how an answer is kept nor who reads
it. Reasons: danger first and help at once, at most four fieldsets a page, time in ranges because memory hurts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flask import g, has_app_context
from jinja2.utils import LRUCache
from markupsafe import Markup
from wtforms import (
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from reporting.countries import FIRST_HOME
from reporting.frontdoor import OpenForm, house, say, template
from reporting.incidents import N_, VOCABULARY, Incident

ONE, MANY, LIST, NUMBER, LINE, TEXT = "one", "many", "list", "number", "line", "text"
WORDS = {NUMBER, LINE, TEXT}  # kinds of input that are typed
PASSED_OVER = "-"  # the value of "I would rather not say" where the vocabulary has no code for it; means: no answer
LONGEST_TEXT = 8000  # signs
LARGEST_NUMBER = 5000  # hours or days

Answers = Mapping[str, Any]
Choices = Mapping[str, str]  # code -> label, in screen order
Elsewhere = Mapping[str, Callable[[], Choices]]  # which choices -> who brings them, asked only where they are shown

YES_NO = {"yes": N_("Yes"), "no": N_("No")}
PASS_LABEL = N_("I would rather not say")
UNKNOWN_LABEL = N_("I do not remember")

# How long ago: code -> (from, to) in hours, and the words. The limits are those of the medical windows.
WHEN: dict[str, tuple[tuple[float, float] | None, str]] = {
    "H2": ((0, 2), N_("Now, or less than 2 hours ago")),
    "H24": ((2, 24), N_("Today or last night: less than 1 day ago")),
    "H72": ((24, 72), N_("1 to 3 days ago")),
    "H96": ((72, 96), N_("3 to 4 days ago")),
    "H120": ((96, 120), N_("4 to 5 days ago")),
    "H168": ((120, 168), N_("5 to 7 days ago")),
    "H336": ((168, 336), N_("1 to 2 weeks ago")),
    "H720": ((336, 720), N_("2 to 4 weeks ago")),
    "LONG": ((720, 87600), N_("More than a month ago")),
    "UNKNOWN": (None, UNKNOWN_LABEL),
}
# unit -> hours in one, hours of doubt either way ("three days" may be two and a half)
UNITS = {"hours": (1, 0.0), "days": (24, 12.0)}
UNIT_LABELS = {"hours": N_("hours"), "days": N_("days")}

CHANNELS = {
    "CALL": N_("Phone call"),
    "WHATSAPP": "WhatsApp",
    "SMS": N_("Text message"),
    "OTHER": N_("Another way"),
}
CONSENTS = {
    "C_LETTERS": N_("The team may write to me here. I read it with my code"),
    "C_STATS": N_("My answers may be counted in yearly figures. Never my words, never alone"),
}
CONTACT_NAMES = {
    "channel": N_("How"),
    "number_to_call": N_("Number or name there"),
    "safe_hours": N_("At what hours is it safe?"),
    "if_other": N_("If somebody else answers, what should we say?"),
    "code_word": N_("A word by which you know it is us"),
}
SEXUAL = frozenset({"RAPE", "STEALTHING", "SEXUAL_ASSAULT", "FORCED_SEX_WORK"})
REFUSING = frozenset({"SERVICE_DENIAL", "FORCED_HEALTH_EXAM"})


@dataclass(frozen=True, slots=True)
class Part:
    """One input of a question. `choices` names a table below or is one."""

    name: str
    kind: str
    choices: str | Choices = ""
    label: str = ""
    longest: int = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A fieldset: what is asked, a hint, its inputs, and when it can matter."""

    name: str
    legend: str
    parts: tuple[Part, ...]
    hint: str = ""
    short: str = ""
    matters: Callable[[Incident], bool] = lambda _incident: True


@dataclass(frozen=True, slots=True)
class Page:
    """A page of at most four fieldsets."""

    title: str
    questions: tuple[Question, ...]


def _one(field: str) -> tuple[Part, ...]:
    return (Part(field, ONE, field),)


def _many(field: str) -> tuple[Part, ...]:
    return (Part(field, MANY, field),)


PAGES: tuple[Page, ...] = (
    Page(
        N_("Right now"),
        (
            Question("about", N_("Who is this about?"), _one("about"), short=N_("About")),
            Question("safety", N_("Is any of this true right now?"), _many("safety"),
                     N_("Mark all that are true. If none is, go on."), N_("Safety now")),
            Question("danger", N_("Does your body have any of these signs?"), _many("danger"),
                     N_("If you mark one, we show you help before we ask more."), N_("Danger signs")),
            Question("age", N_("How old are you?"), _one("age"), N_("We ask because some help depends on it."),
                     N_("Age")),
        ),
    ),
    Page(
        N_("When and where"),
        (
            Question("when", N_("When was the last time?"),
                     (Part("when", ONE, "when"), Part("number", NUMBER, label=N_("Or write how many, if you know")),
                      Part("unit", ONE, UNIT_LABELS, N_("Of what?"))),
                     N_("Some medicines only work in the first days."), N_("When")),
            Question("ongoing", N_("Is it still going on, or does it happen again and again?"),
                     (Part("ongoing", ONE, YES_NO),), short=N_("Still going on")),
            Question("region", N_("Which region are you in?"), _one("region"),
                     N_("Only the region and the province are kept."), N_("Region")),
            Question("venue", N_("In what kind of place did it happen?"), _one("venue"), short=N_("Kind of place")),
        ),
    ),
    Page(
        N_("What happened"),
        (
            Question("department", N_("Which department?"), (Part("department", LIST, "department"),),
                     short=N_("Department"), matters=lambda i: i.region == "OTHER"),
            Question("province", N_("Which province?"), (Part("province", ONE, "province"),),
                     N_("So that we show what is nearest."), N_("Province"),
                     lambda i: i.region not in {None, "OTHER", "PREFER_NOT"}),
            Question("violence", N_("What happened?"), _many("violence"),
                     N_("Mark all that are true. It is not your fault."), N_("What happened")),
            Question("injuries", N_("Are you hurt?"), _many("injuries"),
                     N_("Mark all that are true. If none is, go on."), N_("Injuries")),
        ),
    ),
    Page(
        N_("Who, and your health"),
        (
            Question("perpetrator", N_("Who did it?"), _many("perpetrator"), N_("Mark all. No names are needed."),
                     N_("Who did it")),
            Question("refused", N_("Did one of these places refuse you or treat you badly?"),
                     (Part("refused", MANY, "refused"),), N_("We will not send you there."), N_("Refused by"),
                     lambda i: bool(i.violence & REFUSING or "PROVIDER" in i.perpetrator)),
            Question("condom", N_("Was there a condom the whole time?"), _one("condom"),
                     N_("We ask because of HIV and other infections."), N_("Condom"),
                     lambda i: bool(i.violence & SEXUAL)),
            Question("pregnant_possible", N_("Could there be a pregnancy?"), _one("pregnant_possible"),
                     N_("We ask everybody the same. Answer what is true for your body."), N_("Pregnancy"),
                     lambda i: bool(i.violence & SEXUAL or "D_PREG_DANGER" in i.flags)),
        ),
    ),
    Page(
        N_("About you"),
        (
            Question("identity", N_("How do you describe yourself?"), _one("identity"), short=N_("Identity")),
            Question("docs", N_("What papers do you have?"), _one("docs"), N_("Nobody needs papers to get help."),
                     N_("Papers")),
            Question("migrant", N_("Do you come from another country?"), (Part("migrant", ONE, YES_NO),),
                     N_("We do not tell any authority."), N_("From another country")),
            Question("police_safe", N_("Is it safe for you if the police are involved?"), _one("police_safe"),
                     N_("If not, we do not show you places run by the police."), N_("Safe with police")),
        ),
    ),
    Page(
        N_("What you want"),
        (
            Question("wants", N_("What would you like?"), _many("wants"),
                     N_("Mark all you want."), N_("What you want")),
            Question("reported", N_("Have you told any authority?"), _one("reported"), short=N_("Told an authority")),
            Question("reason", N_("If you told nobody: why not?"), _many("reason"), short=N_("Why not"),
                     hint=N_("Every reason is a good reason.")),
            Question("lang", N_("In which language do you want to be helped?"), _one("lang"), short=N_("Language")),
        ),
    ),
    Page(
        N_("Your words"),
        (
            Question("contact", N_("How can the team reach you safely?"),
                     tuple(Part(name, ONE if name == "channel" else LINE, CHANNELS if name == "channel" else "", label)
                           for name, label in CONTACT_NAMES.items()),
                     N_("Only if you want."), N_("Contact"),
                     lambda i: "W_CONTACT_BACK" in i.wants and i.about != "OTHER"),
            Question("consents", N_("What do you allow?"), (Part("consents", MANY, CONSENTS),),
                     N_("Everything starts as no."), N_("Permissions")),
            Question("narrative", N_("Do you want to tell it in your own words?"),
                     (Part("narrative", TEXT, longest=LONGEST_TEXT),),
                     N_("You do not have to. Leave out names, number plates and addresses."), N_("Your words")),
        ),
    ),
)  # fmt: skip

# question name -> (first letters of its codes in the flags)
FLAG_QUESTIONS = {"safety": "S_", "danger": "D_", "injuries": "I_"}
NO_ANSWER: tuple[object, ...] = (None, "", [])  # nought hours ago is one
HAS_A_PASS = {"PREFER_NOT", "UNKNOWN", "unknown", "unsure"}  # these codes are an answer of their own


def choices_of(part: Part, elsewhere: Elsewhere) -> Choices:
    """The codes and labels of a part; `elsewhere` brings those of other rooms (places, services)."""
    if not isinstance(part.choices, str):
        return _with_pass(part, part.choices)
    if part.choices in FLAG_QUESTIONS:
        beginning = FLAG_QUESTIONS[part.choices]
        return {code: label for code, label in VOCABULARY["flags"].items() if code.startswith(beginning)}
    if part.choices == "when":
        return {code: label for code, (_, label) in WHEN.items()}
    brought = elsewhere.get(part.choices)
    return _with_pass(part, (brought and brought()) or VOCABULARY.get(part.choices, {}))


def _with_pass(part: Part, choices: Choices) -> Choices:
    needs_one = part.kind in {ONE, LIST} and part.name != "unit" and not HAS_A_PASS & set(choices)
    return {**choices, PASSED_OVER: PASS_LABEL} if needs_one else choices


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────


def questions_of(page: int, answers: Answers) -> tuple[Question, ...]:
    """The questions of a page (0..6) that can matter after what was answered so far."""
    so_far = incident_of(answers)
    return tuple(question for question in PAGES[page].questions if _is_asked(question, so_far))


def _is_asked(question: Question, so_far: Incident) -> bool:
    """The regions are those of the first home; elsewhere she picks a department, where the tree of places has any."""
    if question.name in {"region", "department"} and not _is_first_home():
        return question.name == "department" and bool(_departments())
    return question.matters(so_far)


def _is_first_home() -> bool:
    """Whether the regions of the vocabulary are those of this installation; so they are where there is none."""
    return not has_app_context() or house().settings.country == FIRST_HOME


def _departments() -> Choices:
    """The departments of this country, which another wing knows."""
    brought: Choices = house().wings["departments"]()
    return brought


def regions() -> Choices:
    """What she can pick to say where she is, outside of a report; nothing where this country has no tree of places."""
    if _is_first_home():
        return VOCABULARY["region"]
    return {**known, "PREFER_NOT": VOCABULARY["region"]["PREFER_NOT"]} if (known := _departments()) else {}


def department_in(picked: str | None) -> str | None:
    """The department behind what she picked, if it names one."""
    if _is_first_home():
        return HOME_DEPARTMENTS.get(picked or "")
    return picked if picked in _departments() else None


def form_of(page: int, answers: Answers, elsewhere: Elsewhere, typed: Any = None) -> OpenForm:
    """The Flask-WTF form of a page, filled with what was typed or, if nothing was, with the answers so far."""
    parts = [part for question in questions_of(page, answers) for part in question.parts]
    form_class = _form_class(g.lang, page, tuple(part.name for part in parts))
    form: OpenForm = form_class(formdata=typed, data={part.name: answers.get(part.name) for part in parts})
    for part in parts:
        if isinstance(part.choices, str) and part.choices in elsewhere:
            form[part.name].choices = _options(part, choices_of(part, elsewhere))
    return form


@lru_cache(maxsize=256)  # the same questions in the same language make the same form
def _form_class(_language: str, page: int, names: tuple[str, ...]) -> type[OpenForm]:
    parts = (part for question in PAGES[page].questions for part in question.parts if part.name in names)
    return type("PageForm", (OpenForm,), {part.name: _field(part) for part in parts})


def _field(part: Part) -> Field:
    label, options = say(part.label), _options(part, choices_of(part, {}))
    if part.kind == ONE:
        return RadioField(label, choices=options, validators=[Optional()], validate_choice=True)
    if part.kind == LIST:
        return SelectField(label, choices=options, validators=[Optional()])
    if part.kind == MANY:
        return SelectMultipleField(label, choices=options)
    if part.kind == NUMBER:
        return _Number(label, wrong=say(N_("Write only a number, for example 5, or leave it empty.")))
    too_long = say(N_("This text is too long: %(longest)s signs at most."), longest=part.longest)
    kind = TextAreaField if part.kind == TEXT else StringField
    return kind(label, validators=[Length(max=part.longest, message=too_long)])


def _options(part: Part, choices: Choices) -> list[SelectChoice]:
    options = [SelectChoice(code, say(label)) for code, label in choices.items()]
    return [SelectChoice("", say(N_("Choose from the list."))), *options] if part.kind == LIST else options


def fieldsets(page: int, answers: Answers, form: OpenForm) -> Markup:
    """The questions of a page as they stand on it."""
    return Markup("").join(_fieldset(page, question, form) for question in questions_of(page, answers))


def _fieldset(page: int, question: Question, form: OpenForm) -> Markup:
    """One question. What nobody has answered yet looks the same for everybody, and is remembered; hers never is."""
    fields = [form[part.name] for part in question.parts]
    if any(field.raw_data or field.errors or field.data not in NO_ANSWER for field in fields):
        return _written(question, form)
    offered = tuple(option.value for field in fields for option in getattr(field, "choices", ()))
    name = (g.lang, page, question.name, offered)
    if name not in _blank:
        _blank[name] = _written(question, form)
    known: Markup = _blank[name]
    return known


_blank = LRUCache(512)  # (language, page, question, what can be chosen) -> the question, unanswered


def _written(question: Question, form: OpenForm) -> Markup:
    parts: Any = template("parts/fields.html").module
    written: Markup = parts.question(question, form)
    return written


class _Number(StringField):  # type: ignore[misc]
    """A whole number, typed as text so that no browser argues with her; says in her words when it is none."""

    def __init__(self, label: str, *, wrong: str, **parts: Any) -> None:
        super().__init__(label, **parts)
        self._wrong = wrong

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = (valuelist[0] if valuelist else "").strip()
        self.data = int(typed) if re.fullmatch(r"[0-9]{1,4}", typed) else None
        if typed and (self.data is None or self.data > LARGEST_NUMBER):
            raise ValueError(self._wrong)

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else str(self.data if self.data is not None else "")


def answers_in(form: OpenForm) -> dict[str, Any]:
    """What a form holds, without what was passed over."""
    told = {name: value.strip() if isinstance(value, str) else value for name, value in form.data.items()}
    return {name: value for name, value in told.items() if value not in (*NO_ANSWER, PASSED_OVER)}


def merged(page: int, answers: Answers, fresh: Answers) -> dict[str, Any]:
    """All answers after a page was answered: its questions are replaced, and what cannot matter any more goes."""
    asked = {part.name for question in PAGES[page].questions for part in question.parts}
    kept = {name: value for name, value in answers.items() if name not in asked} | dict(fresh)
    if answers.get("region") != kept.get("region"):
        kept = {name: value for name, value in kept.items() if name not in {"province", "department"}}
    return kept


def that_matter(answers: Answers) -> dict[str, Any]:
    """The answers without those to questions that no longer matter."""
    asked = {part.name for page in range(len(PAGES)) for q in questions_of(page, answers) for part in q.parts}
    return {name: value for name, value in answers.items() if name in asked}


def has_words(answers: Answers) -> bool:
    """Whether anything among the answers was typed, not chosen."""
    typed = {
        part.name for page in PAGES for question in page.questions for part in question.parts if part.kind in WORDS
    }
    return any(answers.get(name) for name in typed)


# ── what the answers mean ───────────────────────────────────────────────────────────────────────────────────


def incident_of(answers: Answers) -> Incident:
    """The incident behind the answers of the pages."""
    flags = frozenset(code for question in FLAG_QUESTIONS for code in answers.get(question, ()))
    region = answers.get("region")
    return Incident(
        about=answers.get("about"),
        violence=frozenset(answers.get("violence", ())),
        perpetrator=frozenset(answers.get("perpetrator", ())),
        flags=flags,
        identity=answers.get("identity"),
        age=answers.get("age"),
        venue=answers.get("venue"),
        region=region,
        department=answers.get("department") or HOME_DEPARTMENTS.get(region or ""),
        province=answers.get("province"),
        lang=answers.get("lang"),
        docs=answers.get("docs"),
        condom=answers.get("condom"),
        pregnant_possible=answers.get("pregnant_possible"),
        police_safe=answers.get("police_safe"),
        hours=_hours(answers),
        ongoing=_yes(answers.get("ongoing")),
        migrant=_yes(answers.get("migrant")),
        wants=frozenset(answers.get("wants", ())),
        reported=answers.get("reported"),
        reason=frozenset(answers.get("reason", ())),
        refused_by=frozenset(answers.get("refused", ())),
    )


HOME_DEPARTMENTS = {"UCAYALI": "PE25", "AREQUIPA": "PE04", "PIURA": "PE20", "JUNIN": "PE12"}  # INEI codes


def _yes(answer: str | None) -> bool | None:
    return None if answer is None else answer == "yes"


def _hours(answers: Answers) -> tuple[float, float] | None:
    """A number with its unit goes before a range, because it is finer."""
    number = answers.get("number")
    if number is not None:
        size, doubt = UNITS[answers.get("unit") or "hours"]
        return max(0.0, number * size - doubt), number * size + doubt
    return WHEN[answers["when"]][0] if answers.get("when") else None


CHOSEN = ("about", "age", "region", "venue", "department", "province", "condom", "pregnant_possible", "identity",
          "docs", "police_safe", "reported", "lang")  # fmt: skip
LISTED = {"violence": "violence", "perpetrator": "perpetrator", "wants": "wants", "reason": "reason",
          "refused": "refused_by"}  # fmt: skip


def answers_of(incident: Incident) -> dict[str, Any]:
    """What the pages would hold for an incident, so that it can be set right. The time is left open: it moved on."""
    told: dict[str, Any] = {name: getattr(incident, name) for name in CHOSEN}
    told |= {name: sorted(getattr(incident, field)) for name, field in LISTED.items()}
    for name, beginning in FLAG_QUESTIONS.items():
        told[name] = sorted(flag for flag in incident.flags if flag.startswith(beginning))
    for name in ("ongoing", "migrant"):
        told[name] = {None: None, True: "yes", False: "no"}[getattr(incident, name)]
    return {name: value for name, value in told.items() if value not in (None, [], "")}


def corrected(page: int, incident: Incident, fresh: Answers) -> Incident:
    """The incident after one page of questions was answered anew. No new time leaves the time as it is."""
    changed = incident_of(merged(page, answers_of(incident), fresh))
    return changed if changed.hours is not None else replace(changed, hours=incident.hours)


def contact_of(answers: Answers) -> dict[str, str]:
    """What she told about reaching her, if she asked to be reached."""
    told = (answers.get(name) for name in CONTACT_NAMES if name != "channel")
    if "W_CONTACT_BACK" not in answers.get("wants", ()) or answers.get("about") == "OTHER" or not any(told):
        return {}  # told for somebody else: nobody is called before she herself says yes
    return {name: answers[name] for name in CONTACT_NAMES if answers.get(name)}


@dataclass(frozen=True, slots=True)
class Told:
    """One page of questions on the check page: its number and title, what was answered, what was passed over."""

    number: int
    title: str
    answered: tuple[tuple[str, tuple[str, ...]], ...]  # (short name, words)
    passed_over: tuple[str, ...]  # short names


def told(answers: Answers, elsewhere: Elsewhere) -> list[Told]:
    """Every question that mattered, page by page, with her answers in words."""
    pages = []
    for number, page in enumerate(PAGES):
        rows = [
            (
                say(question.short),
                tuple(word for part in question.parts for word in _words(part, answers, elsewhere)),
            )
            for question in questions_of(number, answers)
        ]
        answered = tuple((short, words) for short, words in rows if words)
        pages.append(Told(number, say(page.title), answered, tuple(short for short, words in rows if not words)))
    return pages


def _words(part: Part, answers: Answers, elsewhere: Elsewhere) -> Iterable[str]:
    answer: Any = answers.get(part.name)
    if answer in NO_ANSWER or part.name == "unit" or (part.name == "when" and answers.get("number") is not None):
        return  # a number goes before a range, and takes its unit along
    if part.kind == NUMBER:
        yield f"{answer} {say(UNIT_LABELS[answers.get('unit') or 'hours'])}"
        return
    if part.kind == LINE:
        yield f"{say(part.label)}: {answer}"
        return
    labels = choices_of(part, elsewhere)
    for value in answer if isinstance(answer, list) else [answer]:
        yield say(labels[value]) if value in labels else str(value)


# ── an incident in words ────────────────────────────────────────────────────────────────────────────────────

# field of the incident -> its short name, in the order a case worker reads
FACTS = {
    "about": N_("About"),
    "flags": N_("Safety, danger and injuries"),
    "age": N_("Age"),
    "hours": N_("When"),
    "ongoing": N_("Still going on"),
    "region": N_("Region"),
    "department": N_("Department"),
    "province": N_("Province"),
    "venue": N_("Kind of place"),
    "violence": N_("What happened"),
    "perpetrator": N_("Who did it"),
    "refused_by": N_("Refused by"),
    "condom": N_("Condom"),
    "pregnant_possible": N_("Pregnancy"),
    "identity": N_("Identity"),
    "docs": N_("Papers"),
    "migrant": N_("From another country"),
    "police_safe": N_("Safe with police"),
    "wants": N_("Wishes"),
    "reported": N_("Told an authority"),
    "reason": N_("Why not"),
    "lang": N_("Language"),
}


def facts_of(
    incident: Incident, names: Mapping[str, str], say: Callable[..., str]
) -> list[tuple[str, tuple[str, ...]]]:
    """(short name, words) of everything that was answered. `names` gives places and services by their code."""
    rows = ((field, getattr(incident, field)) for field in FACTS)
    return [
        (say(FACTS[field]), tuple(words_of_fact(field, value, names, say)))
        for field, value in rows
        if value not in (None, frozenset())
    ]


def words_of_fact(field: str, value: Any, names: Mapping[str, str], say: Callable[..., str]) -> Iterable[str]:
    """One field of an incident in words; nothing where nothing was told."""
    if value in (None, frozenset()):
        return
    if field == "hours":
        yield hours_in_words(value, say)
    elif isinstance(value, bool):
        yield say(YES_NO["yes" if value else "no"])
    elif isinstance(value, frozenset):
        order = list(VOCABULARY.get(field, {}))
        known = sorted(value, key=lambda code: (order.index(code) if code in order else len(order), code))
        yield from (say(VOCABULARY.get(field, {}).get(code, "")) or names.get(code, code) for code in known)
    else:
        yield say(VOCABULARY.get(field, {}).get(value, "")) or names.get(value, value)


def hours_in_words(hours: tuple[float, float], say: Callable[..., str]) -> str:
    """Hours before it was told, exact or as a range."""
    ranges = {limits: label for limits, label in WHEN.values() if limits}
    if hours in ranges:
        return say(ranges[hours])
    low, high = (f"{value:.0f}" for value in hours)
    if low == high:
        return say(N_("%(hours)s hours before it was told"), hours=low)
    return say(N_("%(low)s to %(high)s hours before it was told"), low=low, high=high)
