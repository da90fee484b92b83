"""One case: what is in it, how it is filed, opened, changed and erased.

Knows neither services nor the web.
"""
