"""Web pages, feeds and tables as stories: bytes in, plain values out; nothing is fetched or stored here."""
