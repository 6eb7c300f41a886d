"""HTML as people have it: what the page says is read, in its own encoding, however broken."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import FileError
from qa.formats import html
from tests.files import read, write

PAGE = """<!doctype html><html lang="de"><head><title> Die
 Fähre </title><meta property="article:published_time" content="2024-09-05T10:00:00Z"><style>p{}</style></head>
<body><nav><a href="/">Start</a> Impressum</nav><header><h1>Die Fähre</h1></header>
<main><p>Sie legt um <b>9:30</b>&nbsp;Uhr
ab.<br>Hunde fahren   kostenlos mit.</p><script>alert("böse")</script><img src=x onerror="alert(1)" alt="Bild">
<table><tr><th>Ziel</th><th>Preis</th></tr><tr><td>Helgoland</td><td>40&nbsp;€</td></tr></table>
<pre>a  b
c</pre><p hidden>versteckt</p><!-- Kommentar --><p>1 &lt; 2</p></main><footer>© 2024</footer></body></html>"""


def test_html_gives_what_the_page_says_in_reading_order(tmp_path: Path) -> None:
    document = read(write(tmp_path / "a.html", PAGE))
    assert document.text.split("\n") == [
        "Die Fähre", "Sie legt um 9:30\xa0Uhr ab.", "Hunde fahren kostenlos mit.", "Ziel\tPreis",
        "Helgoland\t40\xa0€", "a  b", "c", "1 < 2",
    ]  # fmt: skip
    assert (document.title, document.date, document.language) == ("Die Fähre", "2024-09-05", "de")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("iso-8859-1", "cp1252"), ("windows-1251", "cp1251"), ("Shift_JIS", "cp932"), ("utf-8", "utf-8"),
        ("iso-8859-9", "cp1254"), ("gb2312", "gb18030"), ("ks_c_5601-1987", "cp949"), ("utf-16", "utf-8"),
        ("no-such-encoding", "utf-8"), ("unicode_escape", "utf-8"), ("x-user-defined", "cp1252"),
    ],
)  # fmt: skip
def test_html_is_read_in_the_encoding_that_browsers_take_it_for(declared: str, encoding: str) -> None:
    word = {
        "cp1252": "Grüße – “so”", "cp1251": "Привет", "cp932": "①こんにちは", "utf-8": r"Γειά σου \x41",
        "cp1254": "“Söz” ğ", "gb18030": "朱镕基", "cp949": "똠방각하",
    }[encoding]  # fmt: skip
    page = f'<html><head><meta charset="{declared}"></head><body><p>{word}</p></body></html>'
    assert html.extract(page.encode(encoding)).parts == (word,)


def test_html_that_is_not_in_the_encoding_it_declares_is_refused() -> None:
    with pytest.raises(FileError, match="declares the encoding 'utf-8'"):
        html.extract('<meta charset="utf-8"><p>Größe'.encode("cp1252"))


def test_what_a_form_holds_is_read_and_what_is_left_out_parts_what_stands_around_it() -> None:
    page = "<form><h1>News</h1><p>Signed in 1999.</p><button>Send</button></form>"
    assert html.extract(page.encode()).parts == ("News\nSigned in 1999.",)
    parted = "First part.<nav>x</nav>Second part.<div>one<aside>y</aside>two</div>un<script>z()</script>cut"
    assert html.extract(parted.encode()).parts == ("First part.\nSecond part.\none\ntwo\nuncut",)


def test_deep_and_broken_html_is_read_to_its_end() -> None:
    assert "unten" in html.extract(("<div>" * 200 + "<p>unten").encode()).parts[0]
    assert html.extract(b"<p>a<b>b</p>c").parts == ("ab\nc",)


def test_what_stands_too_deep_to_be_read_is_not_left_out_in_silence() -> None:
    assert html.extract(("<div>" * 2_000 + "<p>unten" + "</div>" * 2_000 + "<p>danach").encode()).parts == (
        "unten\ndanach",
    )
    with pytest.raises(FileError, match="nested more than 2,048 elements deep"):
        html.extract(("<p>oben" + "<div>" * 3_000 + "<p>unten").encode())


def test_entities_of_a_page_s_own_are_neither_fetched_nor_multiplied(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret", "geheim")
    page = (
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}"><!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'
        "<html><body><p>see &a; and &c;</body></html>"
    )
    (text,) = html.extract(page.encode()).parts
    assert "see &a; and &c;" in text
    assert "geheim" not in text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), min_size=1))
def test_any_text_in_paragraphs_comes_out_as_it_was_put_in(paragraphs: list[str]) -> None:
    from html import escape

    folded = [" ".join(part.split(" ")).strip(" ") for part in paragraphs]
    page = "<body>" + "".join(f"<p>{escape(part)}</p>" for part in folded)
    expected = [" ".join(word for word in part.split(" ") if word) for part in folded]
    (text,) = html.extract(b"\xef\xbb\xbf" + page.encode()).parts
    assert [line.strip(" ") for line in text.split("\n")] == expected
