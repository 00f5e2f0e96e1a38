"""Seeded bad days: the whole engine on virtual time, against faults and crashes."""
