"""Alembic's entry: run the missing revisions on the connection that the caller configured."""

from alembic import context

from pointsman.storage.models import metadata

# The transaction is the caller's: all revisions, or none.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
