"""The verbs: routing, governing, filtering, following orders. Pure, all of it."""
