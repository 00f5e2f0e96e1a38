"""What must outlive the process: records and journal in one SQLite file, written by one
connection.

To add or change a column: change the record, add the next numbered SQL file in `migrations/`, and
its digest to `PUBLISHED` in tests/unit/test_schema.py (`storage.schema` says more)."""
