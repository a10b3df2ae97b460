"""What the flows need beside the AWS client: the clock, faults and webhooks of the control API, the metadata service."""
import base64
import hashlib
import hmac
import json
import os
import threading
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

control = os.environ["BACKLOT_URL"]
"""Of the emulator itself: its seed and its instances."""
emulator = os.environ["AWS_ENDPOINT_URL"]
imds = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
"""Where clients are pointed at; None: at the real host names, by the gateway."""
endpoint = os.environ.get("FLOW_ENDPOINT")
advisor_url = (endpoint or "https://spot-bid-advisor.s3.amazonaws.com") + "/spot-advisor-data.json"


def ask(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def now():
    text = ask("GET", control + "/_backlot/clock")["now"]
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def advance(**by):
    ask("POST", control + "/_backlot/clock/advance", by)


def plan(action, times):
    fault = {"emulator": "ec2-spot", "match": {"body": {"Action": "DescribeRegions"}}, "action": action, "times": times}
    ask("DELETE", control + "/_backlot/faults")
    ask("POST", control + "/_backlot/faults", fault)


def interrupt(instance):
    return ask("POST", emulator + "/_backlot/ec2-spot/interrupt", {"instance": instance})


def metadata(instance, path):
    """Text of the metadata service, None for 404; with a session token, as SDKs ask."""
    token = urllib.request.Request(
        imds + "/latest/api/token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "60"}, method="PUT"
    )
    with urllib.request.urlopen(token) as answer:
        headers = {"x-aws-ec2-metadata-token": answer.read().decode(), "x-backlot-instance": instance}
    try:
        request = urllib.request.Request(imds + "/latest/meta-data/" + path, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as failure:
        assert failure.code == 404, failure
        return None


def seed_strict():
    """The first account again, and every signature is checked from here on. Its keys are derived, so they stay."""
    ask(
        "POST",
        emulator + "/_backlot/seed",
        {
            "signatures": "strict",
            "accounts": [
                {
                    "id": "111122223333",
                    "users": [{"name": "backlot"}],
                    "roles": [
                        {
                            "name": "backlot-spot-switcher",
                            "externalId": "backlot-external-id",
                            "principals": ["111122223333"],
                        }
                    ],
                }
            ],
        },
    )


class Receiver:
    """Takes webhooks and verifies the signature of each."""

    def __init__(self, *events):
        self.told = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
                key = base64.b64decode(outer.secret.removeprefix("whsec_"))
                expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
                good = expected in self.headers["webhook-signature"].split()
                outer.told.append((good, json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        made = ask(
            "POST",
            emulator + "/_backlot/webhooks/endpoints",
            {"url": f"http://127.0.0.1:{self.server.server_port}/hook", "events": list(events)},
        )
        self.secret = made["secret"]

    def details(self):
        """Detail types of what came, all well signed."""
        assert all(good for good, _ in self.told), self.told
        return [event["data"]["detail-type"] for _, event in self.told]


def mean_price(records, start, end):
    """Weighted by time, over the pools of the records, which are newest first."""
    pools = {}
    for record in records:
        pools.setdefault(record["AvailabilityZone"], []).append(record)
    total = 0.0
    for found in pools.values():
        until, weighed = end, 0.0
        for record in found:
            since = max(record["Timestamp"], start)
            weighed += float(record["SpotPrice"]) * (until - since).total_seconds()
            until = since
        assert until <= start, (until, start)
        total += weighed / (end - start).total_seconds()
    return total / len(pools)


def on_demand(price_list):
    """Dollars an hour of the one product in the answer."""
    (product,) = [json.loads(one) for one in price_list]
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    return float(dimension["pricePerUnit"]["USD"])


def product_filters(instance_type):
    wanted = {
        "instanceType": instance_type,
        "location": "US East (N. Virginia)",
        "operatingSystem": "Linux",
        "preInstalledSw": "NA",
        "tenancy": "Shared",
        "capacitystatus": "Used",
    }
    return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]


def month_before(end):
    return end - timedelta(days=30)
