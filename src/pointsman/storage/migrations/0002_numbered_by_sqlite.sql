-- Until here the number of the schema stood in a table; SQLite itself has a place for it.

DROP TABLE IF EXISTS alembic_version;
