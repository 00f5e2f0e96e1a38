"""How people read the engine on a terminal: text, tables, columns, stories."""
