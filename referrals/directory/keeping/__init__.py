"""What keepers of the directory do with a service: add it, call it, ask what nobody knows yet."""
