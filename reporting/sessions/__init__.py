"""What lives for hours only: day seeds, tickets, and the marks that refuse a repeated request.

Knows neither cases nor questions.
"""
