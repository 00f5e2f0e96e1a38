-- What each VA, and all together (an empty va_id), were worth over time, for the plots: a row at each
-- close, and one a minute while something is held. Of what is older than 90 days one an hour stays.

CREATE TABLE equity_points (
    va_id TEXT NOT NULL, at_ns INTEGER NOT NULL, equity TEXT NOT NULL, drawdown TEXT,
    PRIMARY KEY (va_id, at_ns)
);

CREATE INDEX equity_points_at ON equity_points (at_ns);
