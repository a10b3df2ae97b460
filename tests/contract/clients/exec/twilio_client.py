"""Knows nothing of Backlot: what an application does with Twilio's official client."""
import json
import os

from twilio.rest import Client

client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
sent = [
    client.messages.create(from_=os.environ["TWILIO_PHONE_NUMBER"], to="+12025550199", body=body)
    for body in ("one", "two", "three")
]
listed = client.messages.list(page_size=1, limit=10)
print(json.dumps({"sid": sent[0].sid, "status": sent[0].status, "listed": len(listed)}))
