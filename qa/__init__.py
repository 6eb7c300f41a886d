"""Ask a document collection in any language; get the exact words of the sources, or an honest no.

>>> import qa
>>> bot = qa.open("corpus")
>>> reply = bot.ask("Combien de pays ont signé la résolution ?")
>>> isinstance(reply, qa.Answer) and reply.quotes[0].text
"""

import os
from typing import TYPE_CHECKING

from qa.errors import BabelquoteError
from qa.records import Abstention, Answer, Document, Filters, Quote, Reason, Reply

if TYPE_CHECKING:
    from qa.bot import open_corpus as open

__all__ = [
    "Abstention",
    "Answer",
    "BabelquoteError",
    "Document",
    "Filters",
    "Quote",
    "Reason",
    "Reply",
    "open",
]

# oneDNN and torch keep what they compiled for each of the last thousand input shapes, and texts come in any length:
# half a gigabyte after 170 questions. Both read this when torch is loaded.
for _cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "16")


def __getattr__(name: str) -> object:
    """`qa.open` loads the stages only when it is used: importing a record must not import torch."""
    if name == "open":
        from qa.bot import open_corpus

        return open_corpus
    raise AttributeError(f"module 'qa' has no attribute {name!r}")
