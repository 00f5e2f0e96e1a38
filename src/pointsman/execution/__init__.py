"""The verbs: routing, governing, filtering, following orders. Pure, but for `execution_loop` and
what it names."""
