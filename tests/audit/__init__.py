"""The outside auditor: recomputes a recorded run from its two input files by RULES alone.

Nothing here imports the package under test, and nothing was taken from its source: that is what
makes agreement between the two worth something. Only the standard library is used. Read the files
in this order:

* `inputs`: what a run was given: quotes, signals and settings;
* `rules`: RULES 7-11 and 18 as formulas: one entry measured against every limit;
* `paper`: the paper venue of docs/contract.md as a model;
* `replay`: the whole run again, event by event (RULES 2, 14-17, 21-23);
* `record`: what the run left behind: report, database, the venue's own ledger;
* `books`: positions, trades and accounts of the replay (RULES 14-17);
* `cover`: naked time by the journal (RULES 25);
* `compare`: (A) the replay against the record;
* `identities`: (B) what must hold within the record, whatever the replay says;
* `auditor`: the entry point;
* `specimen`: a run worked out by hand, for testing the auditor itself
  (`tests/unit/test_auditor.py`).
"""
