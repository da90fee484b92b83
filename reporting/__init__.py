"""Reports: from her words to a sealed case, and back to the people she chose.

Rooms from the ground up: incidents, receipts, sealing, config; database, models; audit, teamlog; members; keyring;
casebook, sessions; staff; languages; frontdoor; questionnaire; the views; app, demo and commands.
"""
