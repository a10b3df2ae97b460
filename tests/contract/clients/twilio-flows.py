"""Knows nothing of Backlot but how to read a code and move time: Twilio's core flows through the official client."""
import json
import os
import threading
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, quote

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

sid, token = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]
number = os.environ["TWILIO_PHONE_NUMBER"]
service = os.environ["TWILIO_MESSAGING_SERVICE_SID"]
client = Client(sid, token)
to = "+14155550199"
heard = []


class Application(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body, keep_blank_values=True))
        heard.append((form, self.headers["X-Twilio-Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["BACKLOT_TWILIO_URL"] + "/_backlot/" + path, data)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def pass_time(seconds):
    control("clock/advance", {"seconds": seconds})


def refused(call, **expected):
    try:
        call()
    except TwilioRestException as problem:
        for name, value in expected.items():
            assert getattr(problem, name) == value, (name, getattr(problem, name), value)
        return
    raise AssertionError(f"not refused: {expected}")


def messages(callback):
    made = client.messages.create(to=to, from_=number, body="Olé €", status_callback=callback)
    assert (made.status, made.num_segments, made.date_sent) == ("queued", "1", None)
    assert isinstance(made.date_created, datetime)
    pass_time(60)
    done = client.messages(made.sid).fetch()
    assert (done.status, done.error_code) == ("delivered", None), done.status
    assert isinstance(done.date_sent, datetime) and str(done.price).startswith("-0.0"), (done.date_sent, done.price)
    assert [form["MessageStatus"] for form, _ in heard] == ["sent", "delivered"]
    assert all(RequestValidator(token).validate(callback, form, signature) for form, signature in heard)

    for body in ("one", "two", "three"):
        accepted = client.messages.create(to="+14155550177", messaging_service_sid=service, body=body)
        assert (accepted.status, accepted.from_, accepted.num_segments) == ("accepted", None, "0"), accepted.from_
    listed = client.messages.list(to="+14155550177", page_size=2)
    assert [message.body for message in listed] == ["three", "two", "one"]
    assert client.messages.list(date_sent_after=datetime.now(timezone.utc).date(), limit=5) is not None
    assert client.messages(made.sid).update(body="").body == ""
    assert client.messages(made.sid).delete()
    refused(lambda: client.messages(made.sid).fetch(), status=404, code=20404)
    refused(lambda: client.messages.create(to="nobody", from_=number, body="x"), status=400, code=21211)
    refused(lambda: client.messages.create(to=to, from_=number, body="x" * 1601), code=21617)
    refused(lambda: Client(sid, "0" * 32).messages(made.sid).fetch(), status=401, code=20003)


def calls():
    call = client.calls.create(to=to, from_=number, twiml="<Response><Pause length='5'/></Response>")
    assert call.status == "queued" and call.start_time is None
    pass_time(60)
    call = client.calls(call.sid).fetch()
    assert (call.status, call.direction) == ("completed", "outbound-api"), call.status
    assert isinstance(call.start_time, datetime)
    assert client.calls.list(status="completed", limit=3)


def verifications():
    verify = client.verify.v2.services(os.environ["TWILIO_VERIFY_SERVICE_SID"])
    sent = verify.verifications.create(to=to, channel="sms")
    assert sent.status == "pending" and isinstance(sent.date_created, datetime), sent.date_created
    pending = control("twilio/verifications?to=" + quote(to))["verifications"]
    assert verify.verification_checks.create(to=to, code="000000").status == "pending"
    assert verify.verification_checks.create(to=to, code=pending[0]["code"]).status == "approved"
    refused(lambda: verify.verification_checks.create(to=to, code=pending[0]["code"]), status=404, code=20404)


def resources():
    offered = client.available_phone_numbers("US").local.list(area_code=206, limit=1)[0]
    bought = client.incoming_phone_numbers.create(phone_number=offered.phone_number)
    assert bought.capabilities["sms"] is True
    changed = client.incoming_phone_numbers(bought.sid).update(friendly_name="Gate")
    assert changed.friendly_name == "Gate"
    assert client.incoming_phone_numbers(bought.sid).delete()
    pool = client.messaging.v1.services.create(friendly_name="Python")
    assert pool.links["phone_numbers"].endswith("/PhoneNumbers")
    assert client.messaging.v1.services(pool.sid).delete()
    key = client.new_keys.create(friendly_name="CI")
    assert Client(key.sid, key.secret, sid).messages.list(limit=1)
    assert client.keys(key.sid).delete()
    application = client.applications.create(friendly_name="App", sms_url="https://example.com/sms")
    assert client.applications(application.sid).fetch().sms_url == "https://example.com/sms"
    assert client.usage.records.list(category="sms", limit=1)[0].count_unit == "messages"
    assert float(client.balance.fetch().balance) != 0
    sub = client.api.v2010.accounts.create(friendly_name="Unit")
    assert client.api.v2010.accounts(sub.sid).fetch().owner_account_sid == sid


def conversations():
    talk = client.conversations.v1.conversations.create(friendly_name="Set")
    part = client.conversations.v1.conversations(talk.sid)
    part.participants.create(identity="ada")
    part.messages.create(author="ada", body="hello")
    assert [message.body for message in part.messages.list()] == ["hello"]
    assert part.delete()
    queue = client.queues.create(friendly_name="line")
    assert client.queues(queue.sid).fetch().current_size == 0


application = HTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=application.serve_forever, daemon=True).start()
messages(f"http://127.0.0.1:{application.server_port}/status")
calls()
verifications()
resources()
conversations()
print("all flows passed")
