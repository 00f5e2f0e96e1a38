"""One module a revision. A published one is never changed.

To change the schema: change the record, add a module here that names the one before it as
`down_revision`, and list its revision in `storage.schema.REVISIONS`. A test holds records, models
and migrations together.
"""
