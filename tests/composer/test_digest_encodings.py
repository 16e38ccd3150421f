import codecs
from dataclasses import replace

import pytest

from composer.digest import DigestError, parse

TEXT = "The Café’s Week\n\nÀ bientôt, said “Zoë” – for €5.\n\n1. Headline\n\nSome naïve text…\n"


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8-bom", "utf-16", "utf-16-be", "utf-32", "cp1252"],
)
def test_it_is_read_in_its_encoding(raw: bytes) -> None:
    found = parse(raw)

    assert found.title == "The Café’s Week"
    assert found.introduction == ("À bientôt, said “Zoë” – for €5.",)
    assert found.stories[0].lede == "Some naïve text…"


def test_windows_1252_is_a_warning_with_its_first_line() -> None:
    assert parse(TEXT.encode("cp1252")).warnings == (
        "line 1: not UTF-8; read as Windows-1252, so look at the accents and quotes",
    )
    assert parse(TEXT.encode()).warnings == ()


SAMPLES = {
    "fr": "La semaine à l’école\n\nBonjour à tous.\n\n1. Le quai est fermé\n\nLe conseil a voté pour fermer la route, où l’été était évoqué.\n",
    "de": "Die Woche\n\nGuten Morgen.\n\n1. Kaistraße gesperrt\n\nDer Rat stimmte dafür, die Straße zu sperren, und das für lange Zeit.\n",
    "pl": "Tygodnik\n\nDzień dobry.\n\n1. Ulica zamknięta\n\nRada głosowała w nocy, żeby zamknąć ulicę, ale nie od razu.\n",
    "cs": "Týden v přístavu\n\nDobré ráno.\n\n1. Ulice uzavřena\n\nRada hlasovala pro uzavření silnice po dlouhé debatě, a to na rok.\n",
    "tr": "Haftanın haberleri\n\nGünaydın.\n\n1. Rıhtım yolu kapanıyor\n\nMeclis yolun kapatılması için oy kullandı, ve bu şehir için önemli.\n",
    "ru": "Неделя в порту\n\nДоброе утро.\n\n1. Набережная закрыта\n\nСовет проголосовал за закрытие дороги после долгих споров.\n",
    "el": "Η εβδομάδα\n\nΚαλημέρα.\n\n1. Κλείνει ο δρόμος\n\nΤο συμβούλιο ψήφισε να κλείσει τον δρόμο μετά από μακρά συζήτηση.\n",
    "zh": "本周新闻\n\n大家好。\n\n1. 公司发布新模型\n\n公司在本周发布了新的模型，面向企业客户开放，价格也有下降。\n",
    "ja": "今週のニュース\n\nこんにちは。\n\n1. 港の道が閉鎖されます\n\n市議会は火曜日の夜に道路を閉鎖することを決めました。\n",
    "ko": "이번 주 소식\n\n안녕하세요.\n\n1. 부두 길이 닫힙니다\n\n시의회는 화요일 밤에 도로를 폐쇄하기로 결정했습니다.\n",
}
ENCODINGS = [
    ("fr", "cp1252"),
    ("fr", "mac-roman"),
    ("de", "latin-1"),
    ("de", "iso8859-15"),
    ("pl", "cp1250"),
    ("pl", "iso8859-2"),
    ("cs", "cp1250"),
    ("tr", "cp1254"),
    ("ru", "cp1251"),
    ("ru", "koi8-r"),
    ("el", "cp1253"),
    ("zh", "gb18030"),
    ("ja", "shift-jis"),
    ("ja", "euc-jp"),
    ("ko", "euc-kr"),
]


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_an_old_encoding_is_read_right_with_a_doubt_or_refused(language: str, encoding: str) -> None:
    raw, right = SAMPLES[language].encode(encoding), parse(SAMPLES[language])
    refusals, found = [], None
    try:
        found = parse(raw)
    except DigestError as error:
        refusals.append(error.message)

    if found is None:
        assert "--encoding" in refusals[0]
    else:
        assert found == replace(right, report=found.report)
        assert "not UTF-8; read as" in found.warnings[0]


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_a_named_encoding_is_believed(language: str, encoding: str) -> None:
    found = parse(SAMPLES[language].encode(encoding), encoding=encoding)

    assert found == replace(parse(SAMPLES[language]), report=found.report)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("raw", "encoding", "message"),
    [
        (b"Title", "klingon", "no encoding"),
        ("Titel ä".encode("latin-1"), "utf-8", "the file is not utf-8"),
        (b"Title", "hex", "no encoding"),
    ],
)
def test_a_wrong_encoding_is_refused(raw: bytes, encoding: str, message: str) -> None:
    with pytest.raises(DigestError, match=message):
        parse(raw, encoding=encoding)


def test_utf_8_with_one_broken_byte_is_refused() -> None:
    raw = TEXT.encode().replace(b"Some na", b"Some \xff na")
    with pytest.raises(DigestError) as caught:
        parse(raw)
    assert caught.value.line == 7


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_utf_16_without_a_mark_is_known_by_its_zeros(encoding: str) -> None:
    assert parse(TEXT.encode(encoding)).stories == parse(TEXT).stories


def test_a_cut_utf_16_file_is_refused_by_line() -> None:
    with pytest.raises(DigestError, match="UTF-16 its byte order mark promises") as caught:
        parse(TEXT.encode("utf-16")[:-1])
    assert caught.value.line == 7
