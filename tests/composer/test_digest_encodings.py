import codecs

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


def test_latin_1_is_read() -> None:
    assert parse("Café\n\n1. A\n\nB é.\n".encode("latin-1")).title == "Café"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Title\n\n1. Привет мир\n\nТекст.\n", "cp1251"),
        ("Title\n\n1. 你好世界\n\nText.\n", "gbk"),
        ("Title\n\n1. こんにちは\n\nText.\n", "shift-jis"),
        ("Title\n\n1. China’s day\n\nText.\n", "mac-roman"),
        ("Title\n\n1. Ελληνικά\n\nText.\n", "cp1253"),
    ],
)
def test_other_encodings_are_refused_by_line(text: str, encoding: str) -> None:
    with pytest.raises(DigestError, match="save the file as UTF-8") as caught:
        parse(text.encode(encoding))
    assert caught.value.line == 3


def test_utf_8_with_one_broken_byte_is_refused() -> None:
    raw = TEXT.encode().replace(b"Some na", b"Some \xff na")
    with pytest.raises(DigestError) as caught:
        parse(raw)
    assert caught.value.line == 1


def test_utf_16_without_a_mark_is_refused() -> None:
    with pytest.raises(DigestError, match="UTF-16 without a byte order mark"):
        parse(TEXT.encode("utf-16-le"))


def test_a_cut_utf_16_file_is_refused_by_line() -> None:
    with pytest.raises(DigestError, match="UTF-16 its byte order mark promises") as caught:
        parse(TEXT.encode("utf-16")[:-1])
    assert caught.value.line == 7
