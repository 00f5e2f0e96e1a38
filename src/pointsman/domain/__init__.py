"""The nouns: events, commands, orders, positions, accounts, reasons, policy, money. Imports nothing
of ours."""
