"""The directory of services and places: files in and out, upkeep, copies made for questions.

Has never heard of a case and knows no page.
"""
