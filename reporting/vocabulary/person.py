"""Whom it is about: the words of a report that somebody tells for another person.

Pure. What is asked and told of the person to whom it happened is said in the third person, with words of its own; what
is asked of whoever tells (what she remembers, allows, writes) stays as it is. A message that says "I" or "you" stands
in one of both tables, which a test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reporting.i18n import N_

SELF, OTHER = "SELF", "OTHER"  # whom a report is about, as `Incident.about` has it
Say = Callable[..., str]

# as it is said of oneself -> as it is said of another person
OF_ANOTHER: Final[Mapping[str, str]] = {
    # what happened
    "I was forced to have sex (there was penetration)": N_("Forced to have sex (there was penetration)"),
    "The condom was taken off or broken without my permission": N_("The condom was taken off or broken, not agreed"),
    "I was touched, or somebody tried to abuse me": N_("Touched, or somebody tried to abuse this person"),
    "They asked for sex so as not to detain or fine me, or to let me work": N_(
        "Asked for sex so as not to be detained or fined, or to be let work"
    ),
    "I was beaten or hurt": N_("Beaten or hurt"),
    "Somebody tried to kill me": N_("Somebody tried to kill this person"),
    "I was locked in or not allowed to leave": N_("Locked in or not allowed to leave"),
    "They force me to work, do not let me stop, took my papers, or say I owe them": N_(
        "Forced to work, not let stop, papers taken, or said to owe money"
    ),
    "I was forced to marry or live with somebody": N_("Forced to marry or live with somebody"),
    "They charge me a quota or a bribe to work": N_("Charged a quota or a bribe to work"),
    "I was detained or taken away for no reason; a raid": N_("Detained or taken away for no reason; a raid"),
    "My condoms were taken or used as proof": N_("Condoms were taken or used as proof"),
    "I was robbed": N_("Robbed"),
    "I was not paid, or what was paid was taken back": N_("Not paid, or what was paid was taken back"),
    "Somebody takes or controls my money": N_("Somebody takes or controls this person's money"),
    "I was threatened": N_("Threatened"),
    "Somebody follows me, watches me, harasses me": N_("Followed, watched or harassed"),
    "My photo, name, work, HIV or identity was published (or they threaten to)": N_(
        "Photo, name, work, HIV or identity was published (or they threaten to)"
    ),
    "I was insulted or humiliated": N_("Insulted or humiliated"),
    "I was refused care, or they would not take my complaint": N_("Refused care, or the complaint was not taken"),
    "I was tested or examined without my permission": N_("Tested or examined without permission"),
    # who, where
    "Somebody I work with": N_("Somebody who works there too"),
    "Owner of my room or house": N_("Owner of the room or house"),
    "My own or a shared room or flat": N_("This person's own or a shared room or flat"),
    "Home of my family or partner": N_("Home of this person's family or partner"),
    # how it is now
    "Are you hurt or in danger now?": N_("Is this person hurt or in danger now?"),
    "If you say yes, mark what is true. We show you help before we ask more.": N_(
        "If it is yes, mark what is true. We show help before we ask more."
    ),
    "Open what fits and mark all that is true. It is not your fault.": N_("Open what fits and mark all that is true."),
    "A little more about you": N_("A little more about this person"),
    "What you did afterwards": N_("What was done afterwards"),
    "The person who hurt me is here or may come back now": N_("Whoever did it is there or may come back now"),
    "I cannot leave the place where I am": N_("This person cannot leave the place"),
    "They threatened to kill me": N_("Threatened with death"),
    "I have nowhere safe to be tonight": N_("Nowhere safe to be tonight"),
    "They know where I live": N_("They know where this person lives"),
    "My children, or others who depend on me, are in danger": N_("Children, or others who depend, are in danger"),
    "I am bleeding a lot": N_("Bleeding a lot"),
    "It is hard to breathe, or my chest hurts": N_("It is hard to breathe, or the chest hurts"),
    "I fainted or lost consciousness": N_("Fainted or lost consciousness"),
    "A blow to the head, and I vomit, am confused, sleepy or weak, had a fit, see badly, or my head hurts terribly": N_(
        "A blow to the head, and vomiting, confused, sleepy or weak, a fit, seeing badly, or a terrible headache"
    ),
    "I was choked or my neck was squeezed": N_("Choked, or the neck was squeezed"),
    "I was stabbed or shot": N_("Stabbed or shot"),
    "A bone may be broken, or I cannot move a part of my body": N_(
        "A bone may be broken, or a part of the body does not move"
    ),
    "Very strong pain in my belly, hips or genitals": N_("Very strong pain in the belly, hips or genitals"),
    "I was drugged or poisoned": N_("Drugged or poisoned"),
    "I am pregnant and I bleed, have pain, or was hit in the belly": N_(
        "Pregnant, with bleeding, pain, or a blow to the belly"
    ),
    "I think of ending my life now": N_("Speaks of ending her or his life now"),
    # the person
    "Another (as I say it)": N_("Another (as this person says it)"),
    "I have no papers": N_("No papers"),
    "The name or sex on my papers is not mine": N_("The name or sex on the papers is not the person's own"),
    # what this person wants, and whom an authority was told by
    "Help with my papers": N_("Help with papers"),
    "That somebody gets in touch with me": N_("That somebody gets in touch with who tells this"),
    "I am afraid of what they may do": N_("Afraid of what they may do"),
    "I do not trust the police": N_("Does not trust the police"),
    "They did not believe me before": N_("Was not believed before"),
    "I did not know where to go": N_("Did not know where to go"),
    "I felt ashamed": N_("Felt ashamed"),
    "I had no time": N_("Had no time"),
    # questions and hints
    "Is any of this true right now?": N_("Is any of this true of this person right now?"),
    "They asked for sex: did it happen?": N_("They asked this person for sex: did it happen?"),
    "Does your body have any of these signs?": N_("Does this person have any of these signs?"),
    "How old are you?": N_("How old is this person?"),
    "Where are you?": N_("Where is this person?"),
    "Which region are you in?": N_("Which region is this person in?"),
    "Mark all that are true. It is not your fault.": N_("Mark all that you know. It is nobody's fault but theirs."),
    "Are you hurt?": N_("Is this person hurt?"),
    "Who, and your health": N_("Who, and this person's health"),
    "Did one of these places refuse you or treat you badly?": N_(
        "Did one of these places refuse this person or treat her or him badly?"
    ),
    "We will not send you there.": N_("We will not send this person there."),
    "We ask everybody the same. Answer what is true for your body.": N_(
        "We ask everybody the same. If you do not know, pass over it."
    ),
    "About you": N_("About this person"),
    "How do you describe yourself?": N_("How does this person describe herself or himself?"),
    "What papers do you have?": N_("What papers does this person have?"),
    "Do you come from another country?": N_("Does this person come from another country?"),
    "Is it safe for you if the police are involved?": N_("Is it safe for this person if the police are involved?"),
    "What you want": N_("What this person wants"),
    "You want": N_("This person wants"),
    "How you are and what happened": N_("How this person is and what happened"),
    "What would you like?": N_("What would this person like?"),
    "Mark all you want.": N_("Mark what you know. If you do not know, pass over it."),
    "Have you told any authority?": N_("Was any authority told?"),
    "If you told nobody: why not?": N_("If nobody was told: why not?"),
    "In which language do you want to be helped?": N_("In which language does this person want to be helped?"),
    "How can the team reach you safely?": N_("How can the team reach you, who tell this?"),
    "Only if you want.": N_("Only if you want. Nobody calls the other person before she or he says yes."),
    "Did their genitals touch you, or was there semen or blood in your mouth, vulva, anus or a wound?": N_(
        "Did their genitals touch this person, or was there semen or blood in the mouth, vulva, anus or a wound?"
    ),
    "You told us that the condom was taken off or broken, and that there was a condom the whole time. Which one"
    " is right? Until you say so, we look after you as if it had been off.": N_(
        "You told us that the condom was taken off or broken, and that there was a condom the whole time. Which one is "
        "right? Until you say so, we count as if it had been off."
    ),
    "You marked that you are pregnant, and that there could be no pregnancy. Which one is right?": N_(
        "You marked a pregnancy, and that there could be none. Which one is right?"
    ),
    "You told us that you were detained and cannot leave the place where you are, and also that it is over."
    " Which one is right? If they still hold you, somebody has to know now.": N_(
        "You told us that this person is detained and cannot leave, and also that it is over. Which one is right? If"
        " they still hold this person, somebody has to know now."
    ),
    "You want to report it to the police, and it is not safe for you if they are involved. Which one is right?"
    " If you leave it so, we show you places of the police too.": N_(
        "You marked a report to the police, and that it is not safe for this person if they are involved. Which one is"
        " right? If you leave it so, we show you places of the police too."
    ),
    "Whatever you did to be safe, it is not your fault.": N_("Whatever this person did to be safe, it is no fault."),
}

# what is asked of whoever tells, for herself or for another person
OF_WHO_TELLS: Final = frozenset(
    {
        "It is about me",
        "I would rather not say",
        "I do not know",
        "I do not know yet",
        "I do not know who it was",
        "I do not remember",
        "I am not sure",
        "If you mark one, we show you help before we ask more.",
        "Or write how many, if you know",
        "If not, we do not show you places run by the police.",
        "A word by which you know it is us",
        "What do you allow?",
        "The team may write to me here. I read it with my code",
        "My answers may be added to the figures of the year, together with others. Never my words",
        "Your words",
        "Contact, permissions and your words",
        "You were hurt too",
        "What you do not mark is a no.",
        "Your message",
        "How to reach you",
        "May the team write to you here?",
        "You read it with your code. Without a yes, nobody writes to you.",
        "Your companion",
        "Do you want to tell it in your own words?",
        "What do you want to tell the team?",
        "Do you know what happened to your companion?",
        "You gave two times: «%(ticked)s» and «%(typed)s». Which one is right? Until you say so, both count.",
        (
            "You told us of a companion, and you also marked «%(act)s». Did that happen to you? If it did, mark «Yes»"
            " at «Did they hurt you too?»: only then do we show you the medicines that help in the first days."
        ),
        "You do not have to tell more than you want.",
        "You do not have to. Leave out names, number plates and addresses.",
        "My companion was killed",
        "My companion is missing",
        "If they hurt you too, say when that was: some medicines only work in the first days.",
        "Did they hurt you too?",
        "If they did, we ask about your health as well.",
    }
)


def worded(message: str, about: str | None) -> str:
    """The message id that says the same of the person whom it is about."""
    return OF_ANOTHER.get(message, message) if about == OTHER else message


def speaking(say: Say, about: str | None) -> Say:
    """`say` for a report about this person: what it is handed comes out in the right person."""
    if about != OTHER:
        return say
    return lambda message, **parts: say(worded(message, about), **parts)
