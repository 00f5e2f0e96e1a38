-- How long positions stood without a resting stop, and until when an exit counts as cover.

ALTER TABLE positions ADD COLUMN naked_spell TEXT;
ALTER TABLE positions ADD COLUMN stopless_since_ns INTEGER;
ALTER TABLE positions ADD COLUMN stopless_spell TEXT;
ALTER TABLE virtual_accounts ADD COLUMN stopless_max_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE virtual_accounts ADD COLUMN stopless_total_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN covers_until_ns INTEGER;
