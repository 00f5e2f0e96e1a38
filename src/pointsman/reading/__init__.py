"""What can be read of an engine and its database: for the commands that show it, and for HTTP."""
