"""The promises of the house, as tests."""
