"""The chat page, without the framework that serves it: texts, HTML, and what each of its requests does.

`Chat` is the page's whole behaviour; `app.py` gives it to Gradio. CSS and JavaScript lie in `static/`, the texts in
`texts/`, one file a language. All text of documents and visitors is escaped here.
"""
