"""What the house itself promises, measured."""
