"""What a team plans with a case and how that goes: next steps, plans, letters, and whether it works."""
