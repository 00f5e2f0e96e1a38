-- Shadow mode: what the account at the venue was found to hold, a row for each change.

CREATE TABLE account_readings (
    read_at_ns INTEGER NOT NULL, holdings TEXT NOT NULL, open_orders INTEGER NOT NULL,
    PRIMARY KEY (read_at_ns)
);
