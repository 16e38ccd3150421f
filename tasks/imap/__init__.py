"""A folder of a mailbox (IMAP, RFC 3501), read in connections that end in time."""
