"""Pages of what is next in a case, of its plans and letters, and of how it goes."""
