"""The weekly run of a publication: its next draft, its slots' sends, and what becomes of a missed slot."""
