"""The project: settings, URLs, the command line, the embedded engines and the sample digests."""

__version__ = "0.1.0"
