-- The tables follow the journal: the lease row says up to which of its rows they have come. Until
-- now both were written in one transaction, so that was its newest row.
ALTER TABLE lease RENAME COLUMN journal_sequence TO projected_sequence;
ALTER TABLE lease RENAME COLUMN journal_hash TO projected_hash;
