"""Who may be shown what: tickets of reporters, sessions of cases, the sign-in of staff. Imports no page."""
