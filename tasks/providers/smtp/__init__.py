"""Any SMTP server: pipelined, one message for each reader, with a journal of what was accepted."""
