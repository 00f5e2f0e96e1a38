-- A payment that is not funding: a regulatory fee, a rebate, insurance.
ALTER TABLE fundings ADD COLUMN is_charge INTEGER NOT NULL DEFAULT 0;
