"""Mutants: the fault named beside each invariant, put into a copy of the code.

A checker that has never been seen to fail is no evidence. So each of these faults must be caught:
by the simulator within a stated number of seeds, or, where its world cannot show the fault, by a
named test. `table` is the faults as data, `runner` puts one in and looks, `python -m tests.mutants`
does so for all and prints the table.
"""
