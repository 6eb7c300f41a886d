"""Generated text for property tests: many scripts, marks, emoji, every kind of white space and line end."""

from hypothesis import settings
from hypothesis import strategies as st

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

WORDS = (
    "word", "Mr.", "M.", "U.S.", "e.g.", "3.", "II.", "don't", "ASP.NET", "naïve", "Straße", "İstanbul", "ﬁn", "Å",
    "e\u0301\u0323", "a\u0308", "слово", "т.е.", "г.", "λέξη", "ΣΑΣ", "كلمة", "می\u200cرود", "دُنيا", "מילה", 'ד"ר',
    "שָׁלוֹם", "शब्द", "क्षि", "डॉ.", "শব্দ", "คำศัพท์", "ค.ศ.", "ນ້ຳ", "ពាក្យ", "စကား", "言葉", "ことば", "コトバ", "上海市",
    "漢字𠀀", "단어", "각", "བོད་", "ቃል", "բառ", "👩\u200d👩\u200d👧", "👍🏽", "🇫🇷🇩🇪", "1️⃣",
    "🏴\U000e0067\U000e0062\U000e007f", "Sep\xadtember", "42", "٣٫٥", "https://example.org/a.b?c=d", "x" * 70,
    "字" * 70,
)  # fmt: skip
MARKS = (*".!?…,;:'\"()[]{}«»“”‘’„—–-*#>|`~/\\。！？、，；：「」『』（）؟،؛۔।॥။၊។།።։", "...", "?!", "```", "[1]")
SPACES = (" ", " ", " ", " ", "  ", "\n", "\n", "\n\n", "\r\n", "\r", "\t", "\v", "\f", "\x85", "\xa0", "\u2003",
          "\u2028", "\u2029", "\u202f", "\u3000", "\n \n")  # fmt: skip
INVISIBLE = ("\u200b", "\u200e", "\u200f", "\u202e", "\u2066", "\ufeff", "\x00", "\x1b", "\u0301", "\u200d", "\ufe0f")

pieces = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(SPACES),
    st.sampled_from(MARKS),
    st.sampled_from(INVISIBLE),
    st.characters(exclude_categories=["Cs"]),
)
mixed_text = st.lists(pieces, max_size=80).map("".join)
"""Anything, in any order."""

browser_text = mixed_text.map(lambda text: text.replace("\x00", "").replace("\r", ""))
"""What a document can hold: ingest leaves no NUL and no CR, which a browser would change."""

sentence = st.builds(
    lambda words, end: " ".join(words) + end,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12),
    st.sampled_from(".!?。؟।"),
)
prose = st.builds(
    lambda sentences, spaces: "".join(s + spaces[i % len(spaces)] for i, s in enumerate(sentences)),
    st.lists(sentence, max_size=25),
    st.lists(st.sampled_from(SPACES), min_size=1, max_size=5),
)
"""Sentences and what may stand between them."""

long_text = st.builds(
    lambda a, b, n: (a + b) * n, st.sampled_from(WORDS), st.sampled_from((*SPACES[:6], "", "")), st.integers(1, 900)
)
"""One thing again and again, often without a place to cut."""

texts = st.one_of(mixed_text, prose, long_text, st.tuples(mixed_text, long_text, prose).map("".join))
