-- Which account at which venue the records are of: a database never changes it.
ALTER TABLE desk ADD COLUMN traded_on TEXT NOT NULL
    DEFAULT '{"venue":"paper","name":"","is_sandbox":true}';
