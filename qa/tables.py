"""The tables of an index, and how those of an earlier version become today's."""

import sqlite3

SCHEMA_VERSION = "3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT, live INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    id TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL, language TEXT NOT NULL, characters INTEGER NOT NULL,
    pages TEXT NOT NULL, date TEXT, machine_translated INTEGER,
    path TEXT NOT NULL, sha256 TEXT NOT NULL, UNIQUE (id, live));
CREATE TABLE IF NOT EXISTS texts (
    document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    start INTEGER NOT NULL, end INTEGER NOT NULL, language TEXT NOT NULL, sentences TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of_document ON passages (document);
CREATE INDEX IF NOT EXISTS passages_in_language ON passages (language);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (bag, tokenize = 'ascii');
CREATE TABLE IF NOT EXISTS vectors (
    encoder TEXT NOT NULL, text_sha256 BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (encoder, text_sha256));
"""
# Earlier versions held the text among the other columns, so that a list of documents read all of it.
_MIGRATION = """
BEGIN IMMEDIATE;
INSERT INTO texts SELECT key, text FROM documents;
ALTER TABLE documents ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
UPDATE documents SET characters = length(text);
ALTER TABLE documents DROP COLUMN text;
COMMIT;
"""


def make_tables(connection: sqlite3.Connection) -> None:
    """Makes the tables that are missing, and takes earlier versions over; what they hold stays."""
    connection.executescript(_SCHEMA)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(documents)")}
    if "pages" not in columns:  # version 1
        connection.execute("ALTER TABLE documents ADD COLUMN pages TEXT NOT NULL DEFAULT '[]'")
    if "text" in columns:  # version 2
        connection.executescript(_MIGRATION)
