"""The chat page: Gradio, and nothing but Gradio. What it shows is made by `qa.render`."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from qa.bot import Bot
from qa.errors import BabelquoteError
from qa.render import language_name, to_html

TITLE = "babelquote"
CSS = """
.bq-quote { margin: 0 0 .9rem; }
.bq-quote blockquote {
  margin: 0; padding: .2rem 0 .2rem .9rem; border: 0; border-inline-start: 3px solid var(--color-accent);
  font-size: 1.05rem; line-height: 1.55; color: var(--body-text-color);
}
.bq-quote mark { background: color-mix(in srgb, #f5c518 50%, transparent); color: inherit; border-radius: 3px; }
.bq-quote mark.bq-whole { background: color-mix(in srgb, #f5c518 30%, transparent); }
.bq-quote figcaption, .bq-note, .bq-confidence, .bq-offsets {
  font-size: .85rem; color: var(--body-text-color-subdued); margin: .35rem 0 0;
}
.bq-note { font-style: italic; }
.bq-source::before { content: "— "; }
.bq-place summary, .bq-more summary {
  cursor: pointer; font-size: .85rem; color: var(--link-text-color); margin-top: .35rem;
}
.bq-surroundings {
  max-height: 18rem; overflow: auto; padding: .7rem; margin-top: .35rem; line-height: 1.5; font-size: .95rem;
  border: 1px solid var(--border-color-primary); border-radius: 6px; background: var(--background-fill-primary);
}
.bq-more > .bq-quote { margin-top: .8rem; }
"""
EXAMPLES = [
    "Combien de pays ont signé la résolution ?",
    "Kuka piti videopuheen avajaisissa?",
    "上海市副市长是谁？",
    "When was the workshop in Shanghai held?",
]


def build_page(bot: Bot) -> gr.Blocks:
    """The page over one bot; every visitor shares it, and none has state in it."""

    def respond(question: str, _history: list[gr.MessageDict]) -> gr.HTML:
        try:
            return gr.HTML(to_html(bot.ask(question)))
        except BabelquoteError as error:
            raise gr.Error(str(error), print_exception=False) from error

    documents = bot.documents()
    languages = ", ".join(sorted({language_name(document.language) for document in documents}))
    return gr.ChatInterface(
        respond,
        title=TITLE,
        description=f"Ask in any language. Answers are word for word from {len(documents)} documents ({languages}).",
        examples=list(EXAMPLES),
        chatbot=gr.Chatbot(label="Answers", show_label=False, height="68vh", latex_delimiters=[], buttons=["copy"]),
        textbox=gr.Textbox(placeholder="Ask in any language …", label="Question", autofocus=True, max_length=2_000),
        flagging_mode="never",
        api_name="ask",
    )


def main(bot: Bot, *, host: str, port: int, **_unused: object) -> None:
    """Serves the page until interrupted. Raises `BabelquoteError` if the port is taken."""
    try:
        build_page(bot).launch(
            server_name=host, server_port=port, css=CSS, enable_monitoring=False, share=False, inbrowser=False,
            show_error=True, max_file_size=0, footer_links=[],
        )  # fmt: skip
    except OSError as error:
        raise BabelquoteError(
            f"cannot listen on {host}:{port} ({error}); another program may use that port: choose one with "
            "PORT=7861 make chat, or babelquote chat --port 7861"
        ) from error
    finally:
        bot.close()
