"""The Python API over the shipped corpus, with the real model."""

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import qa
from qa.bot import Bot, build, open_index
from qa.errors import QuestionError
from qa.records import Abstention, Answer, Filters
from qa.settings import Settings
from qa.store import Store
from tests.conftest import CORPUS
from tests.light import LOCAL, documents, novels, write

QUESTIONS = {
    "fr": "Combien de pays ont signé la résolution ?",
    "de": "Wer ist Chen Jie?",
    "id": "Siapa wakil walikota Shanghai?",
    "en": "Who is China's permanent representative to the United Nations?",
}
SIGNED = {
    "fr": QUESTIONS["fr"],
    "de": "Wie viele Länder haben die Resolution unterzeichnet?",
    "id": "Berapa negara yang menandatangani resolusi itu?",
    "en": "How many countries signed the resolution?",
}


@pytest.mark.parametrize(
    ("language", "gold"), [("fr", "143"), ("de", "Chen Jie"), ("id", "Chen Jie"), ("en", "Fu Cong")]
)
def test_a_question_gets_the_words_of_the_source(bot: Bot, language: str, gold: str) -> None:
    reply = bot.ask(QUESTIONS[language])
    assert isinstance(reply, Answer)
    assert gold in reply.quotes[0].text
    assert reply.question_language == language
    for quote in reply.quotes:
        assert quote.document.text[quote.start : quote.end] == quote.text
        assert quote.answer in quote.text
    assert 0 <= reply.confidence <= 1
    assert [quote.number for quote in reply.quotes] == list(range(1, len(reply.quotes) + 1))


def test_no_language_is_named_where_it_would_be_a_guess(bot: Bot) -> None:
    reply = bot.ask("Nchi ngapi zilitia saini azimio hilo?")  # Swahili, most like Tagalog to the identifier
    assert reply.question_language == "und"


def test_other_documents_corroborate_and_each_stands_once(bot: Bot) -> None:
    reply = bot.ask(QUESTIONS["fr"])
    assert isinstance(reply, Answer)
    documents = [quote.document.id for quote in reply.quotes]
    assert len(documents) == len(set(documents)) >= 3
    assert all("143" in quote.text for quote in reply.quotes)


def test_the_words_of_ones_own_language_come_first_where_they_say_the_same(bot: Bot) -> None:
    for language, question in SIGNED.items():
        reply = bot.ask(question)
        assert isinstance(reply, Answer)
        assert (reply.question_language, reply.quotes[0].language, reply.quotes[0].answer[:3]) == (
            language, language, "143",
        )  # fmt: skip
        assert len({quote.language for quote in reply.quotes}) >= 3
        assert reply.confidence == max(quote.score for quote in reply.quotes)


def test_what_the_corpus_does_not_hold_is_an_abstention_with_a_reason(bot: Bot) -> None:
    reply = bot.ask("Wie backt man einen Apfelkuchen?")
    assert isinstance(reply, Abstention)
    assert reply.reason == "below_threshold"
    assert reply.nearest


def test_a_filter_that_matches_nothing_is_nothing_retrieved(bot: Bot) -> None:
    reply = bot.ask(QUESTIONS["fr"], filters=Filters(languages=("fi",)))
    assert isinstance(reply, Abstention)
    assert reply.reason == "nothing_retrieved"


def test_filters_decide_where_quotes_come_from(bot: Bot) -> None:
    for filters in (Filters(languages=("de",)), Filters(documents=("shanghai-2024-de",))):
        reply = bot.ask(QUESTIONS["fr"], filters=filters)
        quotes = reply.quotes if isinstance(reply, Answer) else reply.nearest
        assert {quote.document.id for quote in quotes} == {"shanghai-2024-de"}


@pytest.mark.parametrize("question", ["", "   ", "?!…", "\0\0", "\u202e\u200f", "\ud800"])
def test_a_question_without_words_is_refused(bot: Bot, question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        bot.ask(question)


def test_an_endless_question_is_refused(bot: Bot) -> None:
    with pytest.raises(QuestionError, match=r"100,000 characters; ask in at most 2,000"):
        bot.ask("x" * 100_000)


def test_dirt_in_a_question_changes_nothing(bot: Bot) -> None:
    clean, dirty = bot.ask(QUESTIONS["fr"]), bot.ask("\u200f\u202e Combien de pays\0 ont signé la\n résolution ?\ud800")
    assert dirty == clean


def test_a_language_that_no_one_planned_for_is_no_error(bot: Bot) -> None:
    for question in ("Mangapa ora ana wong liya?", "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺ", "𒀀𒁁𒂂", "nuqneH", "👩‍👩‍👧 a"):
        assert isinstance(bot.ask(question), Answer | Abstention)


def test_the_same_question_gets_the_same_reply_from_many_threads(bot: Bot) -> None:
    expected = {question: bot.ask(question) for question in QUESTIONS.values()}
    wrong: list[object] = []

    def ask_all() -> None:
        wrong.extend(question for question in expected if bot.ask(question) != expected[question])

    threads = [threading.Thread(target=ask_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_open_builds_once_and_reopens_what_is_there(settings: Settings, bot: Bot) -> None:
    stages = set[str]()
    with closing(qa.open(CORPUS, settings=settings, progress=lambda stage, _done, _total: stages.add(stage))) as again:
        assert again.ask(QUESTIONS["fr"]) == bot.ask(QUESTIONS["fr"])
    assert stages == {"read", "embed"}  # a build ends with "index", which derives the vectors


@pytest.mark.usefixtures("bot")
def test_a_build_that_waited_takes_out_nothing_that_came_meanwhile(settings: Settings, tmp_path: Path) -> None:
    """It looks the files up when its turn has come, not before."""
    folder = write(tmp_path / "corpus", novels(1))
    with closing(Store(tmp_path / "index", LOCAL)) as store:
        waiting = threading.Thread(target=build, args=([folder],), kwargs={"index": store.folder, "settings": settings})
        with store.writing():
            waiting.start()
            time.sleep(0.5)  # it has come to the lock by now
            write(folder, novels(2))
        waiting.join()
    assert documents(tmp_path / "index").keys() == {"1.txt", "2.txt"}


def test_an_index_made_with_other_settings_names_the_command(settings: Settings, tmp_path: Path) -> None:
    from dataclasses import replace

    from qa.errors import IndexMissing, IndexStale
    from qa.folders import index_folder
    from qa.settings import ChunkSettings, EncoderSettings

    folder = index_folder([CORPUS], settings)
    for other in (
        replace(settings, chunk=ChunkSettings(max_tokens=99)),
        replace(settings, encoder=EncoderSettings(projection=False, layers=False)),
    ):
        with pytest.raises(IndexStale, match=r"run: babelquote index .*corpus"):
            open_index(folder, settings=other)
    with pytest.raises(IndexMissing, match="babelquote index PATH"):
        open_index(tmp_path / "nothing", settings=settings)
