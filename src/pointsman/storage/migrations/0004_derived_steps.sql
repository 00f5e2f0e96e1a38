-- Ticks and lots that were derived from quotes, where no instrument was given; and what rounding
-- to them changed of a signal.

CREATE TABLE instrument_steps (
    symbol TEXT NOT NULL, tick TEXT NOT NULL, lot TEXT NOT NULL,
    PRIMARY KEY (symbol)
);

ALTER TABLE decisions ADD COLUMN rounded TEXT NOT NULL DEFAULT '[]';
