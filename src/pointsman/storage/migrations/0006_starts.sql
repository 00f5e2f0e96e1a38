-- The newest start is looked up for the instruments that it journaled.

CREATE INDEX journal_starts ON journal (sequence) WHERE kind = 'Started';
