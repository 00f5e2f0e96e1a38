"""The commands, and the only room that joins the concrete parts together."""
