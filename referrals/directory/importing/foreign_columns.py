"""What foreign columns are called, which of ours each means, and what words of cells mean. Tables to review."""

from __future__ import annotations

from typing import Final

from referrals.directory.rows import SHELTER

# what a column may be called -> ours, or one of the names below that only this module knows
NAMES: Final = {
    "id": "id codigo codigo_unico cod_unico cod identifier uuid identificador",
    "name": "name nombre denominacion establecimiento nombre_del_establecimiento nombre_establecimiento servicio "
    "service_name title titulo nombre_comercial",
    "service_type": "service_type tipo type categoria clasificacion category taxonomy tipo_de_servicio",
    "phone": "phone telefono fono tel telf celular movil phone_number telefono_del_establecimiento telefonos "
    "telefono_fijo telefono_celular telefono_1 telefono_2 telefono_contacto numero_telefonico "
    "numero_de_telefono phones number",
    "hours": "hours horario horarios opening_hours horario_de_atencion schedule schedules",
    "address": "address direccion domicilio address_1 street",
    "what_for": "what_for description descripcion",
    "languages": "languages idiomas lenguas language",
    "cost": "cost costo fees fees_description",
    "whatsapp": "whatsapp wsp",
    "notes": "notes notas observaciones alert",
    "province": "province provincia",
    "verified_on": "verified_on assured_date",
    "status": "status estado condicion situacion estado_actual situacion_actual condicion_actual estado_operativo "
    "operatividad vigencia estado_del_establecimiento estado_ipress",
    "_ipress": "cod_ipress codigo_ipress renipress cod_renipress codigo_renipress codigo_unico_ipress ipress",
    "_department": "department departamento region state_province state",
    "_district": "district distrito city ciudad",
    "_ubigeo": "ubigeo inei cod_ubigeo ubigeo_inei regions_inei",
    "_latitude": "latitude latitud lat",
    "_longitude": "longitude longitud lon lng long",
    "_organization": "organization organizacion organization_id organization_name organisation institucion entidad",
}
OURS: Final = {alias: name for name, aliases in NAMES.items() for alias in aliases.split()}

# ── words of cells, compared without accents and capitals ───────────────────────────────────────────────────
# what says that a service is closed, by the stems of words, then what says that it is open. Else: not understood.
CLOSED: Final = (
    r"\b(?:inactiv|desactiv|defunct|cerrad|clausur|baja\b|cierre|suspend|inoperativ|closed|terminated|ended|cancel|"
    r"anulad|paraliz|liquidad|extint|disuelt|retirad|inhabilit|deshabilit|eliminad|abandonad)|"
    r"\bno (?:funciona|existe|esta|activ|operativ|habilitad|vigente|atiende|opera)|"
    r"\bya no\b|\bfuera de (?:servicio|funcionamiento)|\bsin (?:funcionar|funcionamiento)|\bdejo de\b"
)
OPEN: Final = (
    r"\b(?:activ|operativ|operando|en funcionamiento|funciona|abiert|vigente|habilitad|open\b|seen\b|verified\b|"
    r"unverified\b|atiende)"
)
HEALTH_CLASSES: Final = (
    r"(?:centros?|puestos?|postas?) (?:de salud|medic[oa]s?)|\bpostas?\b|\bc s\b|\bp s\b|policlinicos?|clinicas?\b|"
    r"clinics?\b|health"
)
# what a class or a name says -> type, where a file has no code of ours. The first that fits wins.
TELLING: Final = (
    (r"refugio|shelter|casas? de acogida|hogar(?:es)? temporal(?:es)?", SHELTER),
    (r"emergencia mujer|\bcem\b|\bcems\b", "VIOLENCE_CENTRE"),
    (r"\bcerits?\b|\bits\b|\bvih\b|\bhiv\b|\bsti\b", "HEALTH_STI_HIV"),
    (r"clinicas? juridicas?|legal clinic", "LEGAL_NGO"),
    (r"salud mental|mental health|\bcsmc\b", "MENTAL_HEALTH"),
    (r"hospital(?:es)?\b|emergency room|emergencias?\b", "HEALTH_EMERGENCY"),
    (HEALTH_CLASSES, "HEALTH_PRIMARY"),
    (r"comisarias?\b|policia|police|\bpnp\b", "POLICE"),
    (r"defensorias? del pueblo|ombudsman", "OMBUDSMAN"),
    (r"fiscalias?\b|prosecutor", "PROSECUTOR"),
    (r"demunas?\b|\bupe\b|ninez|child protection", "CHILD_PROTECTION"),
    (r"defensas? publicas?|alegra|public defen", "LEGAL_PUBLIC_DEFENCE"),
)
MORE_EXACT: Final = ("MENTAL_HEALTH", "HEALTH_STI_HIV")  # a name that says so goes before a class that says health
# what has to do with health and is no door after violence: no medicine to prevent an infection, nobody who is trained
NO_DOOR: Final = (
    r"\b(?:odontolog|dental|dentist|optic[ao]|optometr|oftalmolog|laboratorio|patologia clinica|diagnostico por imagen|"
    r"radiolog|ecograf|podolog|veterinari|farmacia|botica|drogueria|hemodialisis|dialisis|medicina fisica|fisioterap|"
    r"terapia fisica|rehabilitacion|banco de sangre|estetic|audiolog|ortopedi|protesis|masaje)"
)
POLICE_RUN: Final = r"\b(?:pnp|policia|policial|comisarias?|police)\b"
