"""HTTP: the way in for signals of other programs, and for people and machines to see and steer."""
