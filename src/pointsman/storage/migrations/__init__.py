"""Schema migrations, run by Alembic inside the one transaction that `storage.schema` opens."""
