-- Orders that the venue keeps until its session.
ALTER TABLE orders ADD COLUMN is_queued INTEGER NOT NULL DEFAULT 0;
