"""What a story claims, looked up in the text of its source: figures, dates, names and quoted passages.

Everything here is plain text and takes time in proportion to its length. `looking_up.unsupported` is the way in; the check
`composer.checks.claims` says what it finds.
"""
