-- The newest check of the venue with orders (`venue check --orders`), a row for each promise, in
-- the order in which they are tried. Not of the journal: no decision depends on it.

CREATE TABLE venue_checks (
    promise TEXT NOT NULL, text TEXT NOT NULL, is_kept INTEGER, took_ms INTEGER,
    detail TEXT NOT NULL, checked_at_ns INTEGER NOT NULL, account TEXT NOT NULL,
    symbol TEXT NOT NULL, PRIMARY KEY (promise)
);
