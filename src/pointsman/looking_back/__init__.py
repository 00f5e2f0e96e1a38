"""Looking back: what a run was, and what it might have been under other limits."""
