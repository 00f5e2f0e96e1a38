"""HTTP: the way in for signals of other programs, and to watch and control the engine."""
