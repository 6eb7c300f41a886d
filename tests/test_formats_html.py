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


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "windows-874", "x-user-defined", "koi8-r"])
def test_a_declaration_that_was_left_behind_when_the_page_became_utf_8_makes_no_mojibake(declared: str) -> None:
    page = f'<meta charset="{declared}"><p>Les élus – 143 – ไทย'
    assert html.extract(page.encode()).parts == ("Les élus – 143 – ไทย",)
    assert html.extract(f'<meta charset="{declared}"><p>ASCII'.encode()).parts == ("ASCII",)


@pytest.mark.parametrize("comment", ['<!-- <meta charset="koi8-r"> -->', '<!--\n<meta charset="koi8-r">\n--><!---->'])
def test_a_declaration_in_a_comment_declares_nothing(comment: str) -> None:
    page = f'{comment}<meta charset="windows-1252"><p>Größe'
    assert html.extract(page.encode("cp1252")).parts == ("Größe",)


@pytest.mark.parametrize(
    "before",
    [
        "<!-->", "<!--->", "<script><!--\nvar a=1;\n</script>", '<script>var x="<!--";</script>',
        "<title>a <!-- b</title>", '<script>var x="<!--";</script><!-- c -->',
    ],
)  # fmt: skip
@pytest.mark.parametrize("behind", ["", "<!-- c -->"])
def test_what_only_looks_like_a_comment_hides_no_declaration(before: str, behind: str) -> None:
    page = f'{before}<meta charset="windows-1252">{behind}<p>Größe'
    assert html.extract(page.encode("cp1252")).parts == ("Größe",)


PARTS = "<article><h1>Vote</h1><p>143 states voted.</p></article>"


@pytest.mark.parametrize("part", ["main", "section", "header", "figure", "article", "details", "hgroup"])
def test_a_page_without_head_and_body_loses_nothing_but_its_title(part: str) -> None:
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>T</title><{part}>{PARTS}</{part}><p>Contact us.</p>"
    )
    extract = html.extract(page.encode())
    assert (extract.title, extract.parts) == ("T", ("Vote\n143 states voted.\nContact us.",))
    whole = f"<html><head><title>T</title></head><body><{part}>{PARTS}</{part}><p>Contact us.</p></body></html>"
    assert html.extract(whole.encode()) == extract


def test_the_title_of_a_picture_is_neither_text_nor_the_page_s_title() -> None:
    extract = html.extract(b"<body><svg><title>Logo</title></svg><p>Text.")
    assert (extract.title, extract.parts) == (None, ("Text.",))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('143<sup><a href="#n2">2</a></sup> countries', "143 countries"),
        ('143<a href="notes.html#n2"><sup>2</sup></a> countries', "143 countries"),
        ('143<sup class="reference">[2]</sup> countries', "143 countries"),
        ('143<a href="n" class="x footnote-ref"><sup>2</sup></a> countries', "143 countries"),
        ('143<a role="doc-noteref" href="n">2</a> countries', "143 countries"),
        ('143<a epub:type="noteref" href="n">2</a> countries', "143 countries"),
        ('143<sup><a href="other.html">2</a></sup> countries', "143² countries"),
        ('143<sup>[<a href="#n1">1</a>]</sup>, 144<sup><a href="#n1">1</a>–<a href="#n3">3</a></sup>', "143, 144"),
        ('10<sup>2<a href="#n">[1]</a></sup> t', "10^(2[1]) t"),
        ('<a href="#s1">CO<sub>2</sub> in 10<sup>6</sup> t</a>', "CO₂ in 10⁶ t"),
        ('<a class="reference" href="/wiki/CO2#A">CO<sub>2</sub></a>, x<a href="#n"><sub>2</sub></a>', "CO₂, x₂"),
        ("143<sup>2</sup> countries", "143² countries"),
        ("143<span style='font-size: 60%; vertical-align:super'>2</span> countries", "143² countries"),
        ("10<sup>6</sup> t, 5 m<sup>2</sup>, 10<sup>−6</sup>, Ca<sup>2+</sup>", "10⁶ t, 5 m², 10⁻⁶, Ca²⁺"),
        ("CO<sub>2</sub>, 3<sup>1</sup>/<sub>2</sub>, <sup>14</sup>C", "CO₂, 3¹/₂, ¹⁴C"),
        ("2<sup>n</sup>, 2<sup>x</sup>, e<sup>x</sup>, 10<sup>1/2</sup>", "2ⁿ, 2^x, e^x, 10^(1/2)"),
        ("10<sup>10<sup>2</sup></sup>, 10<sup><sup>2</sup></sup>", "10^10², 10²"),
        ("143<sup>[2]</sup>, 143<sup>1,2</sup>", "143[2], 143^(1,2)"),
        ("43.<sup>1,2</sup> In 24,<sup>3,4</sup> 5.<sup>1a</sup> “5”<sup>1,2</sup>", "43.¹,² In 24,³,⁴ 5.¹a “5”¹,²"),
        (f"43.<sup>{'1,' * 12}2</sup>", f"43.{'¹,' * 12}²"),
        ("5.<sup>12 is small print of 1999</sup>", "5.^12 is small print of 1999"),
        ("12<sup>see annex 2, table 12 </sup>143", "12 see annex 2, table 12 143"),
        ("x<sub>a2 </sub>143, 5<sup>٢ </sup>6, foo<sup> bar</sup>", "x_a2 143, 5^٢ 6, foo bar"),
        ("word<sup> and small print behind it</sup>", "word and small print behind it"),
        ("5<sup> [2]</sup>, see <sup>1,2</sup>", "5 [2], see 1,2"),
        ("1<sup>st</sup>, 2<sup>e</sup>, 1<sup>η</sup>, M<sup>me</sup>", "1st, 2e, 1η, Mme"),
        ("Bot<sup>®</sup>, x<sub>max</sub>, x<sub>2k</sub>", "Bot®, xmax, x_2k"),
        ("١٠<sup>٦</sup>; 5<sup>with small print behind it</sup>", "١٠^٦; 5 with small print behind it"),
    ],
)  # fmt: skip
def test_raised_and_lowered_figures_never_join_the_figure_before_them(tmp_path: Path, markup: str, text: str) -> None:
    assert read(write(tmp_path / "a.html", f"<body><p>{markup}</p></body>")).text == text


def test_text_that_a_tag_raises_by_mistake_is_not_lost() -> None:
    page = '<p>10<sup>6 tonnes were sold, <a href="#more">more than ever</a> before.</p><p>The end.</p>'
    assert html.extract(page.encode()).parts == ("10^6 tonnes were sold, more than ever before.\nThe end.",)
    table = "<table><tr><td>In</td><td style='vertical-align: super'>2024</td></tr></table>"
    assert html.extract(table.encode()).parts == ("In\t2024",)


def test_lines_in_raised_text_stay_lines() -> None:
    page = "<div>Note<sup>1<p>A long paragraph.</p></sup>Next</div>"
    assert html.extract(page.encode()).parts == ("Note^1\nA long paragraph.\nNext",)


def test_what_is_struck_through_keeps_apart_what_stands_around_it() -> None:
    page = "<div>A<del><p>x</p></del>B</div><p>4<s>5</s>6, 4<del>5</del><b>6</b>, colo<del>u</del>r"
    assert html.extract(page.encode()).parts == ("A\nB\n4 6, 4 6, color",)


def test_raised_text_in_raised_text_without_end_is_read() -> None:
    assert html.extract(("<p>10" + "<sup>" * 2_000 + "2" + "</sup>" * 2_000).encode()).parts == ("10²",)


def test_what_reads_a_word_out_and_what_a_page_takes_back_are_left_out() -> None:
    ruby = "<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>で<ruby><rb>開</rb><rtc><rt>かい</rt></rtc></ruby>"
    assert html.extract(f"<meta charset=utf-8><p>{ruby}".encode()).parts == ("東京で開",)
    taken_back = "<p>He <del>denied</del><ins>admitted</ins> it, for <s>40</s> <strike>45</strike> 50 euros.</p>"
    assert html.extract(taken_back.encode()).parts == ("He admitted it, for 50 euros.",)


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
