-- Reversals: what an alert says its strategy holds, what waits to be opened, and what was not opened.

ALTER TABLE signals ADD COLUMN market_position TEXT;
ALTER TABLE signals ADD COLUMN market_position_size TEXT;
ALTER TABLE signals ADD COLUMN exchange TEXT;
ALTER TABLE signals ADD COLUMN remarks TEXT;
ALTER TABLE decisions ADD COLUMN opening_id TEXT;
ALTER TABLE decisions ADD COLUMN opening_quantity TEXT;
ALTER TABLE virtual_accounts ADD COLUMN opening TEXT;
ALTER TABLE virtual_accounts ADD COLUMN strategy_symbol TEXT;
ALTER TABLE virtual_accounts ADD COLUMN strategy_quantity TEXT;

-- The newest decision of a VA and symbol tells whether an equal alert is the same one.
CREATE INDEX decisions_account ON decisions (va_id, symbol);
