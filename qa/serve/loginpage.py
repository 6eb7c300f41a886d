"""The pages to log in and out, as HTML without scripts."""

import math
from base64 import b64encode
from hashlib import sha256
from html import escape

from qa.page.words import Words
from qa.serve.users import LONGEST, LONGEST_NAME

STYLE = """
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { width: 100%; max-width: 22rem; }
h1 { font-size: 1.4rem; margin: 0 0 1.2rem; }
label { display: block; margin: 0 0 1rem; }
input { display: block; width: 100%; margin-top: .3rem; padding: .65rem .75rem; font: inherit;
  border: 1px solid #8a8a8a; border-radius: .5rem; background: Field; color: FieldText; }
button { width: 100%; padding: .7rem; font: inherit; font-weight: 600; border: 0; border-radius: .5rem; cursor: pointer;
  background: #1f5fbf; color: #fff; }
:focus-visible { outline: 3px solid #5b9bff; outline-offset: 2px; }
[role=alert] { margin: 0 0 1rem; padding: .6rem .75rem; border-radius: .5rem; border: 1px solid #c0392b;
  background: color-mix(in srgb, #c0392b 15%, Canvas); }
a { color: LinkText; }
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def login_page(say: Words, *, after: str, name: str = "", wrong: bool = False, wait: float | None = None) -> str:
    """The form; `after` is where it leads, `wait` the seconds until it may be tried again."""
    trouble = ""
    if wait is not None:
        trouble = say("login_wait", seconds=math.ceil(wait))
    elif wrong:
        trouble = say("login_wrong")
    alert = f'<p role="alert" id="trouble">{escape(trouble)}</p>' if trouble else ""
    about = ' aria-describedby="trouble" aria-invalid="true"' if trouble else ""
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    return _page(
        say,
        say("log_in"),
        f'{alert}<form method="post" action="/login">'
        f'<label>{escape(say("user"))}<input name="name" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" required maxlength="{LONGEST_NAME}" value="{escape(name)}"{about}{focus_name}></label>'
        f'<label>{escape(say("password"))}<input name="password" type="password" autocomplete="current-password" '
        f'required maxlength="{LONGEST}"{about}{focus_password}></label>'
        f'<input type="hidden" name="next" value="{escape(after)}">'
        f"<button>{escape(say('log_in'))}</button></form>",
    )


def logout_page(say: Words, name: str) -> str:
    """Who is logged in, and the way out."""
    before, after = map(escape, say("logged_in", name="\0").split("\0"))
    return _page(
        say,
        say("log_out"),
        f"<p>{before}<strong><bdi>{escape(name)}</bdi></strong>{after}</p>"
        f'<form method="post" action="/logout"><button>{escape(say("log_out"))}</button></form>'
        f'<p><a href="/">{escape(say("back_to_questions"))}</a></p>',
    )


def _page(say: Words, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{say.language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · babelquote</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>babelquote · {escape(title)}</h1>{body}</main></body></html>"
    )
