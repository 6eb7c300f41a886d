"""Bytes become the right text or are refused; never the wrong text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.encodings import decode
from qa.errors import FileError
from tests.strategies import texts

PROSE = {
    "de": "Am 3. September eröffnete der Außenminister das Seminar über künstliche Intelligenz. Die Bürgermeisterin "
    "begrüßte die Gäste aus vierzig Ländern; sie würdigte die Bemühungen der Regierung um größere Gerechtigkeit. "
    "Anschließend erläuterte er, wie ärmere Länder künftig unterstützt werden können.",
    "fr": "Le ministre des Affaires étrangères a prononcé un discours à la cérémonie d'ouverture du séminaire. Il a "
    "souligné que la coopération internationale était nécessaire et que les pays en développement devaient être "
    "représentés. « C'est là notre première tâche », a-t-il ajouté à l’issue de la réunion.",
    "es": "El ministro pronunció un discurso en la inauguración del seminario. ¿Cuántos países firmaron la resolución? "
    "Según el portavoz, más de ciento cuarenta; también asistió el secretario general, que subrayó la importancia de "
    "la cooperación con los países en desarrollo durante los próximos años.",
    "pt": "O ministro das Relações Exteriores fez um discurso na cerimônia de abertura do seminário. Não há dúvida de "
    "que a cooperação é necessária, disse ele, e os países em desenvolvimento também precisam de apoio. A delegação "
    "chinesa ficará em Xangai até amanhã à noite.",
    "fi": "Ulkoministeri piti puheen seminaarin avajaisissa. Hän korosti, että kansainvälinen yhteistyö on "
    "välttämätöntä ja että myös kehitysmaiden täytyy päästä mukaan päätöksentekoon. Tilaisuuteen osallistui edustajia "
    "neljästäkymmenestä maasta, ja seuraava kokous järjestetään ensi syksynä.",
    "pl": "Minister spraw zagranicznych wygłosił przemówienie podczas otwarcia seminarium. Podkreślił, że współpraca "
    "międzynarodowa jest niezbędna, a kraje rozwijające się muszą być reprezentowane. W spotkaniu wzięli udział "
    "przedstawiciele czterdziestu państw, którzy pozostaną w mieście przez tydzień.",
    "cs": "Ministr zahraničních věcí pronesl projev při zahájení semináře. Zdůraznil, že mezinárodní spolupráce je "
    "nezbytná a že rozvojové země musí být také zastoupeny. Setkání se zúčastnili zástupci čtyřiceti zemí, kteří "
    "zůstanou ve městě celý týden.",
    "tr": "Dışişleri Bakanı seminerin açılış töreninde bir konuşma yaptı. Uluslararası işbirliğinin gerekli olduğunu "
    "ve gelişmekte olan ülkelerin de temsil edilmesi gerektiğini söyledi. Toplantıya kırk ülkeden temsilciler katıldı; "
    "görüşmeler bir hafta sürecek.",
    "ru": "Министр иностранных дел выступил с речью на открытии семинара. Он подчеркнул, что международное "
    "сотрудничество необходимо и что развивающиеся страны тоже должны быть представлены. Во встрече "
    "участвовали представители сорока государств.",
    "uk": "Міністр закордонних справ виступив із промовою на відкритті семінару. Він підкреслив, що міжнародна "
    "співпраця є необхідною і що країни, які розвиваються, теж мають бути представлені. У зустрічі "
    "взяли участь представники сорока держав.",
    "el": "Ο υπουργός Εξωτερικών εκφώνησε ομιλία στην έναρξη του σεμιναρίου. Τόνισε ότι η διεθνής συνεργασία είναι "
    "απαραίτητη και ότι οι αναπτυσσόμενες χώρες πρέπει επίσης να εκπροσωπούνται. Στη συνάντηση συμμετείχαν "
    "εκπρόσωποι από σαράντα κράτη.",
    "he": "שר החוץ נשא נאום בטקס הפתיחה של הסמינר. הוא הדגיש כי שיתוף הפעולה הבינלאומי הכרחי וכי גם המדינות המתפתחות "
    "חייבות להיות מיוצגות. בפגישה השתתפו נציגים מארבעים מדינות, והם יישארו בעיר עד סוף השבוע הבא לדיונים נוספים "
    "על ההחלטה.",
    "ar": "ألقى وزير الخارجية كلمة في حفل افتتاح الندوة. وأكد أن التعاون الدولي ضروري وأن الدول النامية يجب أن تكون "
    "ممثلة أيضا. وشارك في الاجتماع ممثلون من أربعين دولة، وسوف يبقون في المدينة حتى نهاية الأسبوع القادم.",
    "th": "รัฐมนตรีว่าการกระทรวงการต่างประเทศกล่าวสุนทรพจน์ในพิธีเปิดการสัมมนา "
    "เขาย้ำว่าความร่วมมือระหว่างประเทศเป็นสิ่งจำเป็น และประเทศกำลังพัฒนาก็ต้องมีตัวแทนด้วย ผู้แทนจากสี่สิบประเทศเข้าร่วมการประชุมครั้งนี้",
    "vi": "Bộ trưởng Ngoại giao đã phát biểu tại lễ khai mạc hội thảo. Ông nhấn mạnh rằng hợp tác quốc tế là cần thiết "
    "và các nước đang phát triển cũng phải được đại diện. Đại biểu từ bốn mươi nước đã tham dự cuộc họp này.",
    "ja": "外務大臣はセミナーの開会式で演説を行った。大臣は、国際協力が必要であり、"
    "発展途上国も代表されなければならないと強調した。会合には四十か国の代表が参加し、"
    "来週末まで市内に滞在する予定である。次の会合は来年の秋に開かれる。記者会見では多くの質問が出た。",
    "zh": "外交部长在研讨班开幕式上发表讲话。他强调国际合作是必要的，发展中国家也应当有代表参加。"
    "来自四十个国家的代表出席了会议，他们将在市内停留到下个周末。"
    "下一次会议将于明年秋天举行。记者会上提出了许多问题，发言人一一作了回答。",
    "ko": "외교부 장관은 세미나 개막식에서 연설을 했다. 그는 국제 협력이 필요하며 개발도상국도 대표되어야 한다고 "
    "강조했다. 회의에는 사십 개국 대표가 참석했으며 다음 주말까지 시내에 머물 예정이다. "
    "다음 회의는 내년 가을에 열린다.",
}
PAGES = {
    "cp1252": ("de", "fr", "es", "pt", "fi"), "iso8859-1": ("de", "es", "pt", "fi"), "cp1250": ("pl", "cs"),
    "iso8859-2": ("pl",), "cp1251": ("ru", "uk"), "koi8-r": ("ru",), "koi8-u": ("uk",), "cp1253": ("el",),
    "cp1254": ("tr",), "cp1255": ("he",), "cp1256": ("ar",), "cp874": ("th",), "cp932": ("ja",), "shift_jis": ("ja",),
    "euc_jp": ("ja",), "gb18030": ("zh",), "gb2312": ("zh",), "cp949": ("ko",), "euc_kr": ("ko",),
}  # fmt: skip
READ = [(page, language) for page, languages in PAGES.items() for language in languages]
OTHER_PAGES = ("mac_roman", "cp850", "cp437", "cp852", "cp857", "cp866", "mac_cyrillic", "iso8859-5", "iso8859-6",
               "iso8859-7", "iso8859-15", "big5", "cp1257", "cp1258", "utf-16-le", "utf-16-be", "utf-32-le",
               "iso2022_jp", "iso2022_kr")  # fmt: skip


@pytest.mark.parametrize(("page", "language"), READ)
def test_a_paragraph_in_its_language_s_code_page_is_read_right(page: str, language: str) -> None:
    assert decode(PROSE[language].encode(page, "ignore")) == PROSE[language].encode(page, "ignore").decode(page)


def as_bytes(content: str, page: str) -> bytes | None:
    """The text in a code page, `None` if that has not the letters for it."""
    data = content.encode(page, "ignore")
    return data if 10 * len(data.decode(page)) > 9 * len(content) else None


@pytest.mark.parametrize("page", sorted({*PAGES, *OTHER_PAGES}))
@pytest.mark.parametrize("language", PROSE)
def test_no_paragraph_in_any_code_page_is_read_wrong(page: str, language: str) -> None:
    for content in (
        PROSE[language],
        PROSE[language] + "\n" + PROSE["de"],
        PROSE[language][:150] * 2,
        PROSE[language].upper(),
    ):
        data = as_bytes(content, page)
        if data is None or (data.isascii() and page[:3] != "iso"):
            continue
        with suppress(FileError):
            assert decode(data) == data.decode(page)


BULGARIAN_CAPITALS = (
    "КАКВА Е МИНИМАЛНАТА ЗАПЛАТА В ШВЕЙЦАРИЯ? КАКВА Е МИНИМАЛНАТА ЗАПЛАТА В ЛИБИЯ? ТОВА СА МОИТЕ ОТГОВОРНОСТИ, А ТОВА "
    "Е ТВОЯТА. АКО ХОРАТА, КОИТО ПУШАТ, БЪДАТ ЛИШЕНИ ОТ ЦИГАРИТЕ СИ, ТЕ СТАВАТ НЕРВНИ И РАЗДРАЗНИТЕЛНИ ПРЕЗ ДЕНЯ."
)


@pytest.mark.parametrize("page", ["cp1251", "koi8-r", "cp866", "mac_cyrillic"])
def test_capitals_of_one_alphabet_are_not_small_letters_of_another(page: str) -> None:
    """In the Arabic page they are letters of Arabic and Urdu, in KOI8 the small ones."""
    with suppress(FileError):
        assert decode(BULGARIAN_CAPITALS.encode(page)) == BULGARIAN_CAPITALS


@given(texts, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_unicode_is_read_back_as_it_was_written(content: str, encoding: str) -> None:
    content = content.replace("\0", "").replace("\x1b$", "")
    if content.startswith(("%PDF-", "{\\rtf", "PK\x03\x04", "\ufeff")):
        return
    assert decode(content.encode(encoding)) == content


def test_bytes_of_utf_16_that_look_like_iso_2022_are_letters() -> None:
    assert decode("ᬤᬤᬾᬦ᭄".encode("utf-16")) == "ᬤᬤᬾᬦ᭄"


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_tells_the_order(mark: str) -> None:
    assert decode(("\ufeff" + PROSE["zh"]).encode(mark)) == PROSE["zh"]


@pytest.mark.parametrize("language", PROSE)
def test_damaged_utf_8_is_refused_not_taken_for_a_code_page(language: str) -> None:
    data = PROSE[language].encode()
    for damaged in (data + b"\xe4", data[:90] + b"\x92" + data[90:], b"caf\xe9 " + data * 3):
        with pytest.raises(FileError, match=r"cannot be told for certain .*not utf-8: byte \d+ is 0x"):
            decode(damaged)


def test_the_message_names_the_byte_and_the_remedy() -> None:
    with pytest.raises(FileError, match=r"not utf-8: byte 3 is 0xe9\); save it as UTF-8, for example with: iconv -f"):
        decode(b"caf\xe9")
    with pytest.raises(FileError, match=r"not utf-8-sig: byte 6 is 0xe9"):
        decode(b"\xef\xbb\xbfcaf\xe9")
    with pytest.raises(FileError, match=r"not utf-16: byte 4 is 0x61"):
        decode(b"\xff\xfea\0a")


@pytest.mark.parametrize("page", ["cp1252", "cp1251", "shift_jis", "gb18030"])
def test_a_few_bytes_are_never_guessed(page: str) -> None:
    for content in ("é", "Größe", "Привет", "日本語です", "中文"):
        data = content.encode(page, "ignore")
        if data and not data.isascii():
            with pytest.raises(FileError, match="cannot be told"):
                decode(data)


def test_a_letter_late_in_a_long_file_is_enough() -> None:
    content = "Plain text without any letters beyond. " * 5_000 + "\n" + PROSE["de"] * 3
    assert decode(content.encode("cp1252")) == content


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (b"%PDF-1.4\n1 0 obj << /Type /Catalog >>", "a PDF file"),
        (b"{\\rtf1\\ansi Hello}", "an RTF file"),
        (b"PK\x03\x04\x14\0\x06\0", "a ZIP archive or an Office document"),
        (b"text with a \0 in it", "binary"),
        ("\ufeffa\0b".encode("utf-16-le"), "binary"),
        (bytes(range(1, 256)) * 4, "cannot be told"),
        ("漢字です。".encode("iso2022_jp"), "ISO-2022"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        decode(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(FileError):
        assert "\0" not in decode(data)
