"""The pages to log in and out, as HTML without scripts. All texts stand in `TEXTS`."""

import math
from base64 import b64encode
from hashlib import sha256
from html import escape

from qa.serve.users import LONGEST, LONGEST_NAME

TEXTS = {
    "login": "Log in",
    "name": "User",
    "password": "Password",
    "wrong": "This user and password do not belong together. Check both and try again.",
    "wait": "Too many wrong passwords. Try again in {seconds} s.",
    "logout": "Log out",
    "logged_in": "You are logged in as",
    "back": "Back to the questions",
}
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


def login_page(*, after: str, name: str = "", wrong: bool = False, wait: float | None = None) -> str:
    """The form; `after` is where it leads, `wait` the seconds until it may be tried again."""
    trouble = ""
    if wait is not None:
        trouble = TEXTS["wait"].format(seconds=math.ceil(wait))
    elif wrong:
        trouble = TEXTS["wrong"]
    alert = f'<p role="alert" id="trouble">{escape(trouble)}</p>' if trouble else ""
    about = ' aria-describedby="trouble" aria-invalid="true"' if trouble else ""
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    return _page(
        TEXTS["login"],
        f'{alert}<form method="post" action="/login">'
        f'<label>{escape(TEXTS["name"])}<input name="name" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" required maxlength="{LONGEST_NAME}" value="{escape(name)}"{about}{focus_name}></label>'
        f'<label>{escape(TEXTS["password"])}<input name="password" type="password" autocomplete="current-password" '
        f'required maxlength="{LONGEST}"{about}{focus_password}></label>'
        f'<input type="hidden" name="next" value="{escape(after)}">'
        f"<button>{escape(TEXTS['login'])}</button></form>",
    )


def logout_page(name: str) -> str:
    """Who is logged in, and the way out."""
    return _page(
        TEXTS["logout"],
        f"<p>{escape(TEXTS['logged_in'])} <strong><bdi>{escape(name)}</bdi></strong>.</p>"
        f'<form method="post" action="/logout"><button>{escape(TEXTS["logout"])}</button></form>'
        f'<p><a href="/">{escape(TEXTS["back"])}</a></p>',
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · babelquote</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>babelquote · {escape(title)}</h1>{body}</main></body></html>"
    )
