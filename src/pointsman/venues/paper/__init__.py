"""The paper venue: an exchange with books of its own."""
