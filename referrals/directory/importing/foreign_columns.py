"""What foreign columns are called, and which of ours each means. A table to review, nothing else."""

from __future__ import annotations

from typing import Final

# what a column may be called -> ours, or one of the names below that only this module knows
NAMES: Final = {
    "id": "id codigo codigo_unico cod_unico cod identifier uuid identificador codigo_ipress",
    "name": "name nombre denominacion establecimiento nombre_del_establecimiento nombre_establecimiento servicio "
    "service_name title titulo nombre_comercial",
    "service_type": "service_type tipo type categoria clasificacion category taxonomy tipo_de_servicio",
    "phone": "phone telefono fono tel celular phone_number telefono_del_establecimiento telefonos phones number",
    "hours": "hours horario horarios opening_hours horario_de_atencion schedule schedules",
    "address": "address direccion domicilio address_1 street",
    "what_for": "what_for description descripcion",
    "languages": "languages idiomas lenguas language",
    "cost": "cost costo fees fees_description",
    "whatsapp": "whatsapp wsp",
    "notes": "notes notas observaciones alert",
    "province": "province provincia",
    "verified_on": "verified_on assured_date",
    "status": "status estado condicion situacion",
    "_department": "department departamento region state_province state",
    "_district": "district distrito city ciudad",
    "_ubigeo": "ubigeo inei cod_ubigeo ubigeo_inei regions_inei",
    "_latitude": "latitude latitud lat",
    "_longitude": "longitude longitud lon lng long",
    "_organization": "organization organizacion organization_id organization_name organisation institucion entidad",
}
OURS: Final = {alias: name for name, aliases in NAMES.items() for alias in aliases.split()}
