"""The dashboard: what is held, whether it is covered, who may trade, and whether all is well.

It is a process of its own and only ever reads pictures and asks over the engine's socket, so
nothing that it does can hold the engine up (RULES 34). Textual is imported in this package alone.
"""
