"""Reading a digest in two steps: bytes of any format become a document of typed blocks, and one interpreter makes a digest of it."""
