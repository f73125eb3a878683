"""The ground floor: the words everything else is written in. Standard library only."""
