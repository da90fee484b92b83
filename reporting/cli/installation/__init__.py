"""Commands for a whole installation on its machine: set it up, bring it to a new version and back, move it."""
