"""Settings, instruments and trading hours: text from outside, made into checked values of the
domain."""
