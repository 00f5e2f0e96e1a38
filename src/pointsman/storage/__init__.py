"""What must outlive the process: records and journal in one SQLite file, written by one
connection."""
