"""Where the demo's and the tests' notifications arrive: a mailbox and a webhook.

Both listen on loopback alone, check what they get the way a careful receiver would,
and keep the books that "nothing lost, nothing doubled" is counted against.

    with MailSink() as mail, WebhookSink(secret) as hook:
        ...                     # send to mail.host, mail.port and to hook.url
        assert mail.duplicates == hook.duplicates == 0

They can be told to misbehave: each entry of `answers` is given once, in order, before
they accept again.
"""

from __future__ import annotations

from elkwatch.demo.errors import SinkError
from elkwatch.demo.mail_sink import Mail, MailSink
from elkwatch.demo.webhook_sink import Answer, Call, WebhookSink

__all__ = ["Answer", "Call", "Mail", "MailSink", "SinkError", "WebhookSink"]
