"""Follow-ups: which questions lean on the one before, what they are read with, and that the reply says so."""

from collections.abc import Sequence
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from qa.bot import Bot
from qa.dialogue import FollowUpClassifier, context, examples, together
from qa.embed import load_encoder
from qa.errors import QuestionError
from qa.records import Answer

FIRST = "Wie viele Länder haben die Resolution unterzeichnet?"


def begins_with_and(question: str) -> bool:
    return question.startswith("and ")


@pytest.mark.parametrize(
    ("question", "earlier", "expected"),
    [
        ("Who?", [], ()),
        ("and who?", [], ()),
        ("Who?", ["Where?"], ()),
        ("and who?", ["Where?"], ("Where?",)),
        ("and who?", ["When?", "Where?"], ("Where?",)),
        ("and who?", ["When?", "Where?", "and there?"], ("Where?", "and there?")),
        ("and who?", ["and when?", "and there?"], ("and when?", "and there?")),
    ],
)
def test_a_follow_up_is_read_with_those_back_to_a_complete_one(
    question: str, earlier: Sequence[str], expected: tuple[str, ...]
) -> None:
    assert context(question, earlier, begins_with_and) == expected


def test_what_is_asked_comes_first_and_the_oldest_last() -> None:
    assert together("and who?", ("Where?", "and there?")) == "and who? and there? Where?"
    assert together("Who?", ()) == "Who?"


class Letters:
    """A small real encoder: the share of each letter. Counts how many texts it was given."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.count += len(texts)
        rows = np.array([[text.lower().count(chr(97 + i)) + 0.1 for i in range(26)] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_examples_are_embedded_once_however_many_ask() -> None:
    encoder = Letters()
    classify = FollowUpClassifier(encoder)
    threads = [Thread(target=classify, args=("Who is it?",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert encoder.count == sum(map(len, examples())) + 8


def test_after_the_fit_a_question_is_all_that_is_embedded() -> None:
    encoder = Letters()
    classify = FollowUpClassifier(encoder)
    classify.fit()
    embedded = encoder.count
    classify("Who is it?")
    assert (embedded, encoder.count) == (sum(map(len, examples())), embedded + 1)


def test_the_fit_is_ridge_regression() -> None:
    classify = FollowUpClassifier(Letters())
    questions, wanted = [], []
    for group, sign in zip(examples(), (1.0, -1.0), strict=True):
        questions += group
        wanted += [sign] * len(group)
    lengths = [[np.log(len(question.encode()))] for question in questions]
    rows = np.hstack([Letters()(questions).astype(float), lengths])
    rows_1, target = rows - rows.mean(axis=0), np.array(wanted) - np.mean(wanted)
    weights = np.linalg.solve(rows_1.T @ rows_1 + 0.3 * np.eye(rows.shape[1]), rows_1.T @ target)
    expected = rows_1[7] @ weights + np.mean(wanted)
    assert classify.score(questions[7]) == pytest.approx(expected)


def test_examples_are_in_many_languages_and_none_is_of_both_kinds() -> None:
    follow_ups, complete = examples()
    assert not set(follow_ups) & set(complete)
    assert min(len(follow_ups), len(complete)) > 200


@pytest.fixture(scope="module")
def is_follow_up() -> FollowUpClassifier:
    return FollowUpClassifier(load_encoder().encode_queries)


@pytest.mark.parametrize(
    "question",
    [
        "And in Rome?",
        "Und seit wann?",
        "Qui l'a fondée ?",
        "那它是怎么来的？",
        "А кто её открыл?",
        "Quando mortuus est?",
        "¿Y quién la abrió?",
        "誰が作ったのですか。",
        "Lalu siapa yang membangunnya?",
        "Missä se on?",
        "Και ποιος το έχτισε;",
        "En wie heeft dat gebouwd?",
        "És ki alapította?",
        "Na nani aliijenga?",
        "ומי בנה אותו?",
    ],
)
def test_what_says_too_little_by_itself_is_a_follow_up(is_follow_up: FollowUpClassifier, question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who is Ada Lovelace?",
        "capital of Peru",
        "Wann war das Seminar in Bonn?",
        "Qui a peint Guernica ?",
        "谁写了《西游记》？",
        "Кто такой Лев Толстой?",
        "Quis Carthaginem delevit?",
        "¿Quién pintó Las Meninas?",
        "川端康成はいつ生まれましたか。",
        "Siapa penemu lampu pijar?",
        "Kuka on Linus Torvalds?",
        "Ποιος είναι ο Σωκράτης;",
        "How many people live in New York City?",
        "Who is the earliest known female mathematician?",
        "Je,nchi ya Zambia ina idadi ya watu wangapi?",
        "Wazelelwa kuphi uWinnie Madikizela-Mandela?",
        "Ki festette a Mona Lisát?",
        "מי המציא את הדפוס?",
    ],
)
def test_a_short_question_that_is_complete_is_none(is_follow_up: FollowUpClassifier, question: str) -> None:
    assert not is_follow_up(question)


def test_a_follow_up_is_answered_from_the_conversation_and_the_reply_says_so(bot: Bot) -> None:
    before = "Who proposed the UN resolution on AI capacity building?"
    reply = bot.ask("And how many countries signed it?", earlier=[before])
    assert (reply.question, reply.follows) == ("And how many countries signed it?", before)
    assert isinstance(reply, Answer)
    assert "143" in reply.quotes[0].text


def test_a_complete_question_is_answered_as_if_it_came_first(bot: Bot) -> None:
    question = "Who is China's permanent representative to the United Nations?"
    assert bot.ask(question, earlier=[FIRST]) == bot.ask(question)
    assert bot.ask(question).follows is None


def test_a_follow_up_to_a_follow_up_names_both(bot: Bot) -> None:
    earlier = ["Wer ist Chen Jie?", FIRST, "Und wie wurde sie angenommen?"]
    assert bot.ask("Und wann war das?", earlier=earlier).follows == f"{FIRST} Und wie wurde sie angenommen?"


def test_only_the_last_questions_count_and_asking_leaves_no_trace(bot: Bot) -> None:
    earlier = [f"Wer kam am Tag {day}?" for day in range(1_000)]
    first = bot.ask("Und wann war das?", earlier=earlier)
    assert first == bot.ask("Und wann war das?", earlier=earlier[-4:])
    assert bot.ask("Und wann war das?").follows is None


@pytest.mark.parametrize(("earlier", "message"), [("?!", "an earlier question is empty"), ("x" * 3_000, "3,000")])
def test_an_earlier_question_that_cannot_have_been_asked_is_refused(bot: Bot, earlier: str, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        bot.ask("Und wann war das?", earlier=[earlier])
