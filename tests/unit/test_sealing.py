"""Promises of the sealing room."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sealing.json").read_text(encoding="utf-8"))
PLACE = SealContext("record", 7, 9, "letter", 3)
KEY = bytes(range(32))
PAIR = sealing.new_key_pair(bytes(range(96)))
ELSEWHERE = (
    SealContext("case_file", 7, 9, "letter", 3),
    SealContext("record", 8, 9, "letter", 3),
    SealContext("record", 7, 10, "letter", 3),
    SealContext("record", 7, 9, "facts", 3),
    SealContext("record", 7, 9, "letter", 2),
)


@given(st.binary(max_size=5000), st.sampled_from([64, 512, 2048]))
def test_padding_comes_off_whole_and_hides_the_length(data: bytes, smallest: int) -> None:
    padded = sealing.pad(data, smallest)
    assert sealing.unpad(padded) == data
    assert len(padded) >= smallest
    assert len(padded) & (len(padded) - 1) == 0, "a power of two"


@given(st.binary(max_size=300))
def test_what_is_sealed_under_a_key_opens_with_it(data: bytes) -> None:
    assert sealing.open_sealed(KEY, PLACE, sealing.seal(KEY, PLACE, data)) == data


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_what_is_sealed_to_somebody_opens_for_her(data: bytes) -> None:
    assert sealing.open_with(PAIR.private, PLACE, sealing.seal_to(PAIR.public, PLACE, data)) == data


@pytest.mark.parametrize("place", ELSEWHERE, ids=lambda place: place.table + place.kind + str(place.version))
def test_a_seal_does_not_open_in_another_place(place: SealContext) -> None:
    with pytest.raises(CannotOpen):
        sealing.open_sealed(KEY, place, sealing.seal(KEY, PLACE, b"hers"))
    with pytest.raises(CannotOpen):
        sealing.open_with(PAIR.private, place, sealing.seal_to(PAIR.public, PLACE, b"hers"))


@given(st.data())
def test_one_changed_bit_and_nothing_opens(data: st.DataObject) -> None:
    sealed = bytearray(sealing.seal(KEY, PLACE, b"hers"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        sealing.open_sealed(KEY, PLACE, bytes(sealed))


@given(st.data())
def test_one_changed_bit_and_nothing_opens_for_her_either(data: st.DataObject) -> None:
    sealed = bytearray(sealing.seal_to(PAIR.public, PLACE, b"hers", smallest=64))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        sealing.open_with(PAIR.private, PLACE, bytes(sealed))


@given(st.binary(max_size=200))
def test_anything_else_is_the_same_one_error(junk: bytes) -> None:
    for attempt in (
        lambda: sealing.open_sealed(KEY, PLACE, junk),
        lambda: sealing.open_with(PAIR.private, PLACE, junk),
        lambda: sealing.open_sealed(junk, PLACE, sealing.seal(KEY, PLACE, b"")) if len(junk) != 32 else _refuse(),
        lambda: sealing.new_key_pair(junk),
        lambda: sealing.seal_to(junk, PLACE, b""),
    ):
        with pytest.raises(CannotOpen):
            attempt()


def _refuse() -> None:
    raise CannotOpen


@given(st.integers(1, 511))
def test_a_cut_record_does_not_open(length: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.open_sealed(KEY, PLACE, sealing.seal(KEY, PLACE, b"hers")[:-length])


def test_the_key_pair_is_written_in_96_and_1216_bytes() -> None:
    assert (len(PAIR.private), len(PAIR.public)) == (sealing.PRIVATE, sealing.PUBLIC) == (96, 1216)


def test_a_signature_fits_only_its_message_and_key() -> None:
    one, other = sealing.new_signing_pair(), sealing.new_signing_pair()
    signature = sealing.sign(one.private, b"let in")
    assert sealing.is_signed(one.public, signature, b"let in")
    assert not sealing.is_signed(one.public, signature, b"let out")
    assert not sealing.is_signed(other.public, signature, b"let in")
    assert not sealing.is_signed(b"short", signature, b"let in")


def test_six_digits_count_once_and_forgive_one_step_either_way() -> None:
    secret, at = bytes(range(20)), 1_800_000_015.0
    code = sealing.totp_code(secret, at)
    counter = sealing.totp_counter(secret, code, at, last=0)
    assert counter is not None
    assert sealing.totp_counter(secret, code, at, last=counter) is None, "a used code is refused"
    for drift in (-30, 30):
        assert sealing.totp_counter(secret, sealing.totp_code(secret, at + drift), at, last=0) is not None
    for drift in (-90, 90):
        assert sealing.totp_counter(secret, sealing.totp_code(secret, at + drift), at, last=0) is None
    assert sealing.totp_counter(secret, "no digits", at, last=0) is None


# ── the format is what its vectors say ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("vector", VECTORS["places"], ids=lambda vector: vector["place"]["kind"])
def test_a_place_is_spelt_as_published(vector: dict[str, object]) -> None:
    place = SealContext(**vector["place"])  # type: ignore[arg-type]
    assert place.to_bytes().hex() == vector["bytes"]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["place"]["kind"])
def test_published_records_open(vector: dict[str, str]) -> None:
    place = SealContext(**vector["place"])  # type: ignore[arg-type]
    opened = sealing.open_sealed(bytes.fromhex(vector["key"]), place, bytes.fromhex(vector["sealed"]))
    assert opened.hex() == vector["data"]


@pytest.mark.parametrize("vector", VECTORS["envelopes"], ids=lambda vector: vector["place"]["kind"])
def test_published_envelopes_open(vector: dict[str, str]) -> None:
    place = SealContext(**vector["place"])  # type: ignore[arg-type]
    private = bytes.fromhex(vector["private"])
    assert sealing.new_key_pair(private).public.hex() == vector["public"]
    assert sealing.open_with(private, place, bytes.fromhex(vector["sealed"])).hex() == vector["data"]


def test_published_receipts_and_passwords_stretch_to_the_same_keys() -> None:
    receipt, password, derived = VECTORS["receipt"], VECTORS["password"], VECTORS["derived"]
    tag, wrap = sealing.stretch_receipt(tuple(receipt["numbers"]), bytes.fromhex(receipt["pepper"]))
    assert (tag.hex(), wrap.hex()) == (receipt["tag"], receipt["wrap"])
    key = sealing.stretch_password(
        password["password"], bytes.fromhex(password["salt"]), bytes.fromhex(password["pepper"])
    )
    assert key.hex() == password["key"]
    assert sealing.derive(bytes.fromhex(derived["secret"]), derived["purpose"]).hex() == derived["key"]
