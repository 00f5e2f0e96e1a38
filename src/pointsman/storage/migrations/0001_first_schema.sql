-- The first schema.
--
-- Written out, not derived from the code of the day, because it must stay what it was. There is no
-- way down: to go back, restore a backup.

CREATE TABLE virtual_accounts (
    va_id TEXT NOT NULL, start_balance TEXT NOT NULL, opened_at_ns INTEGER NOT NULL,
    deposits TEXT NOT NULL, cash TEXT NOT NULL, realized TEXT NOT NULL, fees TEXT NOT NULL,
    exposure TEXT NOT NULL, equity TEXT NOT NULL, peak_equity TEXT NOT NULL,
    max_drawdown TEXT NOT NULL, trades INTEGER NOT NULL, wins INTEGER NOT NULL,
    losses INTEGER NOT NULL, loss_streak INTEGER NOT NULL, cooldown_until_ns INTEGER,
    is_paused INTEGER NOT NULL, frozen_for TEXT, frozen_at_ns INTEGER, stopped_by TEXT,
    leased_symbol TEXT, day_start_ns INTEGER NOT NULL, day_start_equity TEXT NOT NULL,
    day_deposits TEXT NOT NULL, day_entries INTEGER NOT NULL, naked_max_ns INTEGER NOT NULL,
    naked_total_ns INTEGER NOT NULL, venue_naked_max_ns INTEGER NOT NULL,
    venue_naked_total_ns INTEGER NOT NULL, PRIMARY KEY (va_id)
);

CREATE TABLE signals (
    signal_id TEXT NOT NULL, va_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
    quantity TEXT, notional TEXT, risk_percentage TEXT, price TEXT, stop_loss TEXT,
    stop_loss_percentage TEXT, take_profit TEXT, take_profit_percentage TEXT,
    reduce_only INTEGER NOT NULL, ts_ns INTEGER, ttl_ns INTEGER,
    received_at_ns INTEGER NOT NULL, source TEXT NOT NULL, line INTEGER NOT NULL,
    repeats INTEGER NOT NULL, reuses INTEGER NOT NULL, PRIMARY KEY (signal_id)
);

CREATE TABLE decisions (
    signal_id TEXT NOT NULL, va_id TEXT NOT NULL, symbol TEXT NOT NULL, outcome TEXT NOT NULL,
    decided_at_ns INTEGER NOT NULL, reason TEXT, value TEXT, "limit" TEXT, action TEXT,
    quantity TEXT, clipped_quantity TEXT, limit_price TEXT, client_order_id TEXT,
    position_ids TEXT NOT NULL, quote TEXT, checks TEXT NOT NULL, PRIMARY KEY (signal_id)
);

CREATE TABLE orders (
    client_order_id TEXT NOT NULL, va_id TEXT NOT NULL, symbol TEXT NOT NULL,
    position_id INTEGER NOT NULL, role TEXT NOT NULL, order_type TEXT NOT NULL,
    side TEXT NOT NULL, position_side TEXT NOT NULL, quantity TEXT NOT NULL,
    created_at_ns INTEGER NOT NULL, limit_price TEXT, trigger_price TEXT, stop_level TEXT,
    stop_percentage TEXT, take_profit TEXT, signal_id TEXT, exit_reason TEXT,
    status TEXT NOT NULL, is_unknown INTEGER NOT NULL, is_cancel_pending INTEGER NOT NULL,
    is_triggered INTEGER NOT NULL, filled TEXT NOT NULL, filled_value TEXT NOT NULL,
    fees TEXT NOT NULL, venue_order_id TEXT, end_reason TEXT, sent_at_ns INTEGER,
    cancel_sent_at_ns INTEGER, updated_at_ns INTEGER NOT NULL, PRIMARY KEY (client_order_id)
);

CREATE INDEX orders_entries ON orders (created_at_ns) WHERE role = 'entry';

CREATE INDEX orders_not_final ON orders (client_order_id)
WHERE status NOT IN ('CANCELED', 'DENIED', 'EXPIRED', 'FILLED', 'REJECTED');

CREATE INDEX orders_position ON orders (position_id);

CREATE INDEX orders_signal ON orders (signal_id) WHERE signal_id IS NOT NULL;

CREATE TABLE fills (
    "key" TEXT NOT NULL, client_order_id TEXT NOT NULL, va_id TEXT NOT NULL,
    symbol TEXT NOT NULL, position_id INTEGER NOT NULL, side TEXT NOT NULL,
    quantity TEXT NOT NULL, price TEXT NOT NULL, fee TEXT NOT NULL, trade_id TEXT NOT NULL,
    venue_ts_ns INTEGER NOT NULL, booked_at_ns INTEGER NOT NULL, is_external INTEGER NOT NULL,
    fee_currency TEXT, PRIMARY KEY ("key")
);

CREATE INDEX fills_order ON fills (client_order_id, "key");

CREATE TABLE positions (
    position_id INTEGER NOT NULL, part INTEGER NOT NULL, va_id TEXT NOT NULL,
    symbol TEXT NOT NULL, side TEXT NOT NULL, entry_order_id TEXT NOT NULL,
    opened_at_ns INTEGER NOT NULL, limit_price TEXT NOT NULL, stop_price TEXT NOT NULL,
    stop_level TEXT, stop_percentage TEXT, take_profit TEXT, signal_id TEXT,
    state TEXT NOT NULL, quantity TEXT NOT NULL, lots TEXT NOT NULL,
    entry_quantity TEXT NOT NULL, entry_value TEXT NOT NULL, exit_quantity TEXT NOT NULL,
    exit_value TEXT NOT NULL, fees TEXT NOT NULL, realized_to_date TEXT NOT NULL,
    closing TEXT NOT NULL, closing_all INTEGER NOT NULL, closing_reason TEXT,
    closing_signal_id TEXT, last_exit_reason TEXT, exit_retry_at_ns INTEGER,
    crossed_at_ns INTEGER, naked_since_ns INTEGER, naked_from_venue_ns INTEGER,
    stops_made INTEGER NOT NULL, exits_made INTEGER NOT NULL, PRIMARY KEY (position_id)
);

CREATE TABLE trades (
    trade_id TEXT NOT NULL, position_id INTEGER NOT NULL, va_id TEXT NOT NULL,
    symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL, entry_price TEXT NOT NULL,
    exit_price TEXT NOT NULL, pnl TEXT NOT NULL, fees TEXT NOT NULL,
    opened_at_ns INTEGER NOT NULL, closed_at_ns INTEGER NOT NULL, exit_reason TEXT NOT NULL,
    signal_id TEXT, PRIMARY KEY (trade_id)
);

CREATE INDEX trades_position ON trades (position_id);

CREATE TABLE fundings (
    funding_id TEXT NOT NULL, position_id INTEGER NOT NULL, va_id TEXT NOT NULL,
    symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL, amount TEXT NOT NULL,
    venue_ts_ns INTEGER NOT NULL, booked_at_ns INTEGER NOT NULL,
    PRIMARY KEY (funding_id, position_id)
);

CREATE INDEX fundings_position ON fundings (position_id);

CREATE TABLE incidents (
    incident_id TEXT NOT NULL, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, va_id TEXT,
    symbol TEXT, client_order_id TEXT, value TEXT, "limit" TEXT, detail TEXT NOT NULL,
    PRIMARY KEY (incident_id)
);

CREATE INDEX incidents_at ON incidents (at_ns);

CREATE INDEX incidents_order ON incidents (client_order_id)
WHERE client_order_id IS NOT NULL;

CREATE TABLE kill_switch (
    id INTEGER NOT NULL, state TEXT NOT NULL, is_paused INTEGER NOT NULL,
    changed_at_ns INTEGER NOT NULL, changed_by TEXT NOT NULL, note TEXT NOT NULL,
    flat_at_ns INTEGER, PRIMARY KEY (id), CONSTRAINT kill_switch_is_one_row CHECK (id = 1)
);

CREATE TABLE desk (
    id INTEGER NOT NULL, code TEXT NOT NULL, next_number INTEGER NOT NULL,
    next_incident INTEGER NOT NULL, fills_cursor TEXT NOT NULL, compared_at_ns INTEGER,
    mismatch_cycles INTEGER NOT NULL, breach_readings INTEGER NOT NULL,
    naked_readings INTEGER NOT NULL, peak_equity TEXT NOT NULL, day_start_ns INTEGER NOT NULL,
    day_start_equity TEXT NOT NULL, day_deposits TEXT NOT NULL, quotes INTEGER NOT NULL,
    bad_quotes INTEGER NOT NULL, ended_at_ns INTEGER, PRIMARY KEY (id),
    CONSTRAINT desk_is_one_row CHECK (id = 1)
);

CREATE TABLE cursors (
    source TEXT NOT NULL, line INTEGER NOT NULL, PRIMARY KEY (source)
);

CREATE TABLE cash_moves (
    ref TEXT NOT NULL, va_id TEXT NOT NULL, amount TEXT NOT NULL, moved_at_ns INTEGER NOT NULL,
    is_confirmed INTEGER NOT NULL, PRIMARY KEY (ref)
);

CREATE INDEX cash_moves_unconfirmed ON cash_moves (ref) WHERE is_confirmed = 0;

CREATE TABLE external_holdings (
    symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL, value TEXT,
    PRIMARY KEY (symbol, side)
);

CREATE TABLE marks (
    symbol TEXT NOT NULL, ts_ns INTEGER NOT NULL, bid TEXT NOT NULL, ask TEXT NOT NULL,
    PRIMARY KEY (symbol)
);

CREATE TABLE journal (
    sequence INTEGER NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL,
    payload TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (sequence)
);

CREATE TABLE lease (
    id INTEGER NOT NULL, holder TEXT NOT NULL, acquired_at_ns INTEGER NOT NULL,
    journal_sequence INTEGER NOT NULL, journal_hash TEXT NOT NULL, PRIMARY KEY (id),
    CONSTRAINT lease_is_one_row CHECK (id = 1)
);

CREATE TABLE run (
    id INTEGER NOT NULL, quotes_digest TEXT NOT NULL, signals_digest TEXT NOT NULL,
    instruments_digest TEXT NOT NULL, settings_digest TEXT NOT NULL, seed TEXT NOT NULL,
    PRIMARY KEY (id), CONSTRAINT run_is_one_row CHECK (id = 1)
);
