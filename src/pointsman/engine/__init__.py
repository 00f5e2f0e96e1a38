"""The shell: what drives the pure desk, and the clocks that it runs on."""
