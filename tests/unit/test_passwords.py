"""Passwords: what people would think of is refused whatever its length, and drawn words always pass."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.config import ROOT
from reporting.teams import passwords
from reporting.teams.passwords import JUDGED, OWN_LENGTH, bits, is_weak

# as people in Peru would write them: each 16 signs or more
OF_PERU = """
contraseñacontraseña
contraseña123456
mi contraseña secreta
una contraseña larga
clave secreta 2024
miclavesecreta123
lima peru lima peru
viva el peru carajo
Vivaelperu2821!!
perucampeon2022!
alianza lima 1901
alianzacampeon2023
universitario1924
Sporting Cristal 1955
cristalcampeon2020
dale u dale u dale u
melgar campeon 1981
paolo guerrero 9 peru
PaoloGuerrero2018
gianluca lapadula 9
jefferson farfan 10
te amo mucho mi amor
teamomuchomiamor1
te quiero mucho mami
amordemivida2023
mi amor de mi vida
mamita te quiero mucho
dios es amor y paz
diosesmipastor2024
jesus te ama mucho
jesucristo es mi rey
virgen de la puerta
senor de los milagros
Señor de los Milagros 1
santa rosa de lima 30
virgen del carmen 16
arequipa ciudad blanca
arequipa1540arequipa
piura1532piura1532
pucallpa ucayali 2020
pucallpaucayali123
huancayo junin peru
iquitos loreto peru
cusco machu picchu
machupicchu2024!
trujillo la libertad
chiclayo lambayeque
ceviche con pisco 1
pisco sour ceviche
lomo saltado con arroz
arroz con pollo 2024
aji de gallina rico
inca kola con pollo
chicha morada fria 1
rosa maria garcia 90
rosaflores19900512
maria garcia lopez 1
mariamariamaria12
carmen rosa quispe
juan carlos rojas 85
josefelipe19851985
luis miguel flores 7
milagros sanchez 94
fiorella ramos 1998
estefany mamani 2001
mi perro firulais 1
firulaisfirulais1
mi gato peluchin 22
princesaprincesa1
princesa bonita 123
mi princesa hermosa
corazon corazon 12
corazoncorazon123
amigas por siempre 1
amigasporsiempre1
feliz cumpleaños 12
feliz navidad 2024
navidad diciembre 25
enero febrero marzo
lunes martes miercoles
uno dos tres cuatro cinco
uno dos tres cuatro
unodostrescuatro5
abrete sesamo 1234
soy la mejor de todas
hola hola hola hola
holaholaholahola1
no se mi contraseña
no tengo contraseña 1
casa de mi abuela 12
calle los olivos 123
avenida arequipa 1234
san juan de lurigancho
villa el salvador 15
los olivos lima peru
la victoria lima 13
amparo amparo amparo
amparoamparo2024
equipo amparo 2026
trabajo trabajo 123
oficina de amparo 1
derechos de mujeres
mujeres unidas 2024
las mujeres del peru
abcdario abcdefgh
la vida es bella 12
""".strip().splitlines()
OF_ANYWHERE = """
aaaaaaaaaaaaaaaa
0000000000000000
1111111111111111
zzzzzzzzzzzzzzzzzzzz
1234567890123456
12345678901234567890
0987654321098765
1234123412341234
1212121212121212
1122334455667788
9876543210987654
qwertyuiopasdfgh
qwertyqwertyqwerty
qwertyuiop123456
asdfghjklasdfghjkl
zxcvbnmzxcvbnm123
qazwsxedcrfvtgby
1qaz2wsx3edc4rfv
1q2w3e4r5t6y7u8i
poiuytrewqlkjhgf
abcdefghijklmnop
abcdefgh12345678
abcabcabcabcabcabc
aabbccddeeffgghh
passwordpassword
password12345678
Password2024!!!!
P4ssw0rdP4ssw0rd
p@ssw0rdp@ssw0rd
administrator123
administratoradmin
letmeinletmeinletmein
iloveyouiloveyou
iloveyouforever1
welcomewelcome12
monkeymonkeymonkey
dragondragondragon
footballfootball1
basketballbaseball
superman12345678
batmanandrobin12
startrekstarwars
starwars19771977
princessprincess
sunshinesunshine
michaeljackson80
jenniferjennifer
christophercolumbus
charliecharlie123
abc123abc123abc123
trustno1trustno1
correcthorsebattery
correct horse battery
the quick brown fox
to be or not to be
hello hello hello 1
hello world hello
happy birthday 2024
merry christmas 25
januaryfebruary1
monday tuesday 123
summer summer 2024
summer2024summer24
winteriscoming12
iamthebestintheworld
google google google
facebook12345678
whatsappwhatsapp
gmail gmail gmail 1
computercomputer
internetinternet
samsungsamsung12
iphone12iphone12
android android 1
windows10windows
linuxlinuxlinux1
rootrootrootroot
toor toor toor toor
guestguestguest12
testtesttesttest
testing123testing
changemechangeme
defaultdefault12
secretsecretsecret
mysecretpassword
mypasswordissecret
nopasswordneeded
1990199019901990
19900512 19900512
12/05/1990 12/05/1990
51987654321987654
+51 987 654 321 00
987654321987654321
00112233445566778899
a1a1a1a1a1a1a1a1
a1b2c3d4e5f6g7h8
1a2b3c4d5e6f7g8h
xyzxyzxyzxyzxyzxyz
mnbvcxzlkjhgfdsa
!!!!!!!!!!!!!!!!
................
a a a a a a a a a
1 2 3 4 5 6 7 8 9 0 a b c d e f g h i j
""".strip().splitlines()
# the same task, done by somebody who had seen neither these nor the lists
OF_SOMEBODY_ELSE = [
    line
    for line in (ROOT / "tests/golden/weak-passwords.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
PATTERNS = [*OF_PERU, *OF_ANYWHERE, *OF_SOMEBODY_ELSE]

DRAWN = int(os.environ.get("AMPARO_DRAWN", "50"))  # passwords in each language; to judge one takes 0.1 s


def test_there_are_enough_patterns_and_each_is_long_enough_to_be_judged_by_more_than_its_length() -> None:
    assert len(set(PATTERNS)) >= 200
    assert len(OF_PERU) >= 100
    assert not [pattern for pattern in PATTERNS if len(pattern) < OWN_LENGTH]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_people_would_think_of_is_refused_whatever_its_length(pattern: str) -> None:
    assert is_weak(pattern), bits(pattern)


@pytest.mark.parametrize("language", ["es", "en"])
def test_drawn_passwords_pass(language: str) -> None:
    draw = random.Random(11)  # noqa: S311 -- the same ones each time
    drawn = [passwords.suggest(draw.randrange, language) for _ in range(DRAWN)]
    assert len(set(drawn)) == DRAWN
    assert not [words for words in drawn if is_weak(words, "rosa")]


def test_a_name_that_is_known_counts_for_little() -> None:
    own = "pizarra acequia remolino golondrina xiuhtezcatl"
    assert bits(own, "xiuhtezcatl") < bits(own)


@given(st.text(max_size=200))
def test_the_estimate_never_counts_more_than_the_signs_could_and_never_fails(text: str) -> None:
    assert 0 <= bits(text) <= JUDGED * 13


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=30), st.integers(1, 20))
def test_one_word_is_weak_however_often_it_is_written(word: str, times: int) -> None:
    assert is_weak(" ".join([word] * times))
    assert is_weak(word * times)
