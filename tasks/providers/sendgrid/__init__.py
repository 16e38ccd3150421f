"""SendGrid, or any server that speaks its v3 API: mail/send, the signed event webhook, suppression lists."""
