"""Codes of what happened: the lists a person can answer from, each code with its label.

Data alone: knows no question, no incident and no case. Labels are message ids. Sources: the SWIT tool (WHO and
others 2013, box 2.1) for acts and contexts; INEI for places. Which codes there are is a decision of the
project, to be reviewed with the organisations.
"""

from __future__ import annotations

from typing import Final

from reporting.i18n import N_
from reporting.vocabulary.places import REGION_NAMES

PREFER_NOT_LABEL: Final = N_("I would rather not say")
YES, NO, NOT_SURE, NOT_KNOWN = N_("Yes"), N_("No"), N_("I am not sure"), N_("I do not know")
YES_NO_UNKNOWN: Final = {"yes": YES, "no": NO, "unknown": NOT_KNOWN}
# field -> {code: label}, in screen order
VOCABULARY: Final[dict[str, dict[str, str]]] = {
    "about": {"SELF": N_("It is about me"), "OTHER": N_("It is about another person")},
    "violence": {
        "RAPE": N_("I was forced to have sex (there was penetration)"),
        "STEALTHING": N_("The condom was taken off or broken without my permission"),
        "SEXUAL_ASSAULT": N_("I was touched, or somebody tried to abuse me"),
        "SEXUAL_EXTORTION": N_("They asked for sex so as not to detain or fine me, or to let me work"),
        "PHYSICAL_ASSAULT": N_("I was beaten or hurt"),
        "ATTEMPTED_KILLING": N_("Somebody tried to kill me"),
        "KILLING_DISAPPEARANCE": N_("A companion was killed or has disappeared (told by another person)"),
        "CONFINEMENT": N_("I was locked in or not allowed to leave"),
        "FORCED_SEX_WORK": N_("They force me to work, do not let me stop, took my papers, or say I owe them"),
        "FORCED_MARRIAGE": N_("I was forced to marry or live with somebody"),
        "EXTORTION": N_("They charge me a quota or a bribe to work"),
        "ARBITRARY_DETENTION": N_("I was detained or taken away for no reason; a raid"),
        "CONDOM_CONFISCATION": N_("My condoms were taken or used as proof"),
        "ROBBERY": N_("I was robbed"),
        "NONPAYMENT": N_("I was not paid, or what was paid was taken back"),
        "ECONOMIC_ABUSE": N_("Somebody takes or controls my money"),
        "THREATS": N_("I was threatened"),
        "STALKING": N_("Somebody follows me, watches me, harasses me"),
        "OUTING": N_("My photo, name, work, HIV or identity was published (or they threaten to)"),
        "PSYCH_ABUSE": N_("I was insulted or humiliated"),
        "SERVICE_DENIAL": N_("I was refused care, or they would not take my complaint"),
        "FORCED_HEALTH_EXAM": N_("I was tested or examined without my permission"),
        "HATE_VIOLENCE": N_("It was out of hate (for being trans, a sex worker, a migrant, or having HIV)"),
    },
    "perpetrator": {
        "CLIENT": N_("Client"),
        "POLICE": N_("Police"),
        "SERENAZGO": N_("Municipal security or inspectors"),
        "OTHER_STATE": N_("Another authority (prosecutor, judge, soldier, migration)"),
        "THIRD_PARTY": N_("Pimp, owner or manager of the place"),
        "CRIMINAL_GROUP": N_("A group that charges quotas, a mafia"),
        "PARTNER": N_("Partner or former partner"),
        "FAMILY": N_("A family member"),
        "COWORKER": N_("Somebody I work with"),
        "NEIGHBOUR_PUBLIC": N_("Neighbours, people in the street, a hate group"),
        "PROVIDER": N_("Staff of a health or other service"),
        "LANDLORD": N_("Owner of my room or house"),
        "UNKNOWN": N_("I do not know who it was"),
        "OTHER": N_("Somebody else"),
    },
    "flags": {
        "S_PERP_NEAR": N_("The person who hurt me is here or may come back now"),
        "S_LOCKED": N_("I cannot leave the place where I am"),
        "S_DEATH_THREAT": N_("They threatened to kill me"),
        "S_WEAPON": N_("There was a weapon"),
        "S_NO_SAFE_PLACE": N_("I have nowhere safe to be tonight"),
        "S_KNOWS_HOME": N_("They know where I live"),
        "S_CHILDREN": N_("My children, or others who depend on me, are in danger"),
        "D_BLEEDING": N_("I am bleeding a lot"),
        "D_BREATHING": N_("It is hard to breathe, or my chest hurts"),
        "D_UNCONSCIOUS": N_("I fainted or lost consciousness"),
        "D_HEAD_SIGNS": N_(
            "A blow to the head, and I vomit, am confused, sleepy or weak, had a fit,"
            " see badly, or my head hurts terribly"
        ),
        "D_STRANGLED": N_("I was choked or my neck was squeezed"),
        "D_STAB_GUN": N_("I was stabbed or shot"),
        "D_FRACTURE": N_("A bone may be broken, or I cannot move a part of my body"),
        "D_SEVERE_PAIN": N_("Very strong pain in my belly, hips or genitals"),
        "D_DRUGGED": N_("I was drugged or poisoned"),
        "D_BURN": N_("A burn, or acid"),
        "D_PREG_DANGER": N_("I am pregnant and I bleed, have pain, or was hit in the belly"),
        "D_SUICIDE": N_("I think of ending my life now"),
        "I_WOUND": N_("A cut or an open wound"),
        "I_BITE": N_("A bite that bled"),
        "I_GENITAL": N_("Pain or a little blood in the genitals or anus"),
        "I_HEAD_BLOW": N_("A blow to the head, without those signs"),
        "I_BRUISES": N_("Bruises"),
    },
    "identity": {
        "CIS_WOMAN": N_("Woman"),
        "TRANS_WOMAN": N_("Trans woman"),
        "TRANSSEXUAL": N_("Transsexual woman"),
        "TRAVESTI": N_("Travesti"),
        "TRANS_MAN": N_("Trans man or transmasculine person"),
        "NONBINARY": N_("Non-binary person"),
        "CIS_MAN": N_("Man"),
        "OTHER_SELF": N_("Another (as I say it)"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "age": {
        "U14": N_("Under 14"),
        "A14_17": N_("14 to 17"),
        "A18_24": N_("18 to 24"),
        "A25_34": N_("25 to 34"),
        "A35_49": N_("35 to 49"),
        "A50P": N_("50 or more"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "venue": {
        "STREET": N_("Street, park or road"),
        "BAR_CLUB": N_("Bar, canteen, night club or karaoke"),
        "BROTHEL": N_("Brothel or house of appointments"),
        "HOTEL": N_("Hostel or hotel"),
        "OWN_PLACE": N_("My own or a shared room or flat"),
        "CLIENT_PLACE": N_("The client's place"),
        "VEHICLE": N_("Car, mototaxi or patrol car"),
        "ONLINE": N_("Internet, WhatsApp or an app"),
        "CAMP_PORT": N_("Mining or logging camp, or port"),
        "POLICE_STATION": N_("Police station or cell"),
        "HEALTH_FACILITY": N_("Health centre or hospital"),
        "HOME": N_("Home of my family or partner"),
        "OTHER": N_("Another place"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "region": {
        **REGION_NAMES,
        "OTHER": N_("Another region"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "lang": {
        "es": N_("Spanish"),
        "en": N_("English"),
        "qu": N_("Quechua"),
        "ay": N_("Aymara"),
        "shp": N_("Shipibo-Konibo"),
        "cni": N_("Asháninka"),
    },
    "docs": {
        "DNI": N_("DNI (Peruvian identity card)"),
        "CE": N_("Foreigner's card or permit"),
        "NONE": N_("I have no papers"),
        "MISMATCH": N_("The name or sex on my papers is not mine"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "extortion_act": YES_NO_UNKNOWN,
    "contact": YES_NO_UNKNOWN,
    "victim_state": {
        "killed": N_("My companion was killed"),
        "missing": N_("My companion is missing"),
        "unknown": NOT_KNOWN,
    },
    "hurt_too": YES_NO_UNKNOWN,
    "condom": YES_NO_UNKNOWN,
    "pregnant_possible": {
        "yes": YES,
        "no": NO,
        "unsure": NOT_SURE,
        "pregnant": N_("There is a pregnancy already"),
    },
    "police_safe": {"yes": YES, "no": NO, "unsure": NOT_SURE},
    "wants": {
        "W_RECORD_ONLY": N_("Only that it is written down"),
        "W_INFO": N_("Information"),
        "W_HEALTH": N_("Health care"),
        "W_PSYCH": N_("Somebody to talk to, emotional support"),
        "W_LEGAL": N_("Legal advice"),
        "W_REPORT": N_("To report it to an authority"),
        "W_REPORT_POLICE": N_("To report it to the police"),
        "W_SHELTER": N_("A safe place to stay"),
        "W_PEER": N_("To talk with companions or their organisation"),
        "W_MONEY": N_("Help with money"),
        "W_DOCS": N_("Help with my papers"),
        "W_DIGITAL": N_("Help with photos, messages or accounts"),
        "W_CONTACT_BACK": N_("That somebody gets in touch with me"),
        "W_NOT_SURE": N_("I do not know yet"),
    },
    "reported": {
        "NOBODY": N_("Nobody"),
        "POLICE": N_("The police"),
        "PROSECUTOR": N_("The prosecutor's office"),
        "DEFENSORIA": N_("The ombudsman (Defensoría del Pueblo)"),
        "COURT": N_("A court"),
        "HEALTH": N_("Health staff"),
        "OTHER_AUTHORITY": N_("Another authority"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "reason": {
        "FEAR_REPRISAL": N_("I am afraid of what they may do"),
        "DISTRUST_POLICE": N_("I do not trust the police"),
        "NOT_BELIEVED": N_("They did not believe me before"),
        "DID_NOT_KNOW": N_("I did not know where to go"),
        "NO_PAPERS": N_("I have no papers"),
        "SHAME": N_("I felt ashamed"),
        "NO_TIME": N_("I had no time"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
}
# Written where something was not asked, for fields on which must-nots hang (must-nots.toml reads it the careful way).
# No answer: nobody can choose it, and it is never said.
NOT_ASKED: Final = "NOT_ASKED"
MAY_BE_NOT_ASKED: Final = frozenset({"docs", "age", "identity"})
STATE_AGENTS: Final = frozenset({"POLICE", "SERENAZGO", "OTHER_STATE"})
MINOR_AGES: Final = frozenset({"U14", "A14_17"})
ADULT_AGES: Final = frozenset({"A18_24", "A25_34", "A35_49", "A50P"})
IDENTITY_GROUP: Final = {
    "CIS_WOMAN": "CIS_W",
    "TRANS_WOMAN": "TRANS",
    "TRANSSEXUAL": "TRANS",
    "TRAVESTI": "TRANS",
    "TRANS_MAN": "TRANS",
    "NONBINARY": "TRANS",
    "CIS_MAN": "CIS_M",
    "OTHER_SELF": "OTHER",
    "PREFER_NOT": "NA",
}
