"""A SendGrid on your own machine.

An HTTP server that speaks the parts of SendGrid's v3 API that a newsletter needs, keeps a ledger of what it accepted,
posts signed event webhooks, misbehaves on request, and shows what was sent. Start it with `python -m sandbox --home DIR`
or, in a test, with `sandbox.server.running(SandboxOptions(...))`. It imports nothing of the applications it serves.
"""
