-- The number of the newest owner of a desk that is not bound to one machine.
ALTER TABLE desk ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
