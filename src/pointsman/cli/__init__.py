"""The commands, the dashboard, and what stands around a paced run."""
