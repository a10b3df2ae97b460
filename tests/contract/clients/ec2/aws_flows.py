"""The acceptance flows of a spot back end through the aws command, straight to the emulator or by the gateway."""
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

import backlot

command = sys.argv[1]
role, external_id = os.environ["BACKLOT_ROLE_ARN"], os.environ["BACKLOT_EXTERNAL_ID"]
linux = ["--product-descriptions", "Linux/UNIX"]


def call(*words, **environment):
    # Older than the endpoint variables: it is told where to ask, or asks the real host names through the gateway.
    where = ["--endpoint-url", backlot.endpoint] if backlot.endpoint else []
    return subprocess.run(
        [command, *words, *where, "--region", "us-east-1", "--output", "json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def aws(*words, **environment):
    done = call(*words, **environment)
    assert done.returncode == 0, (words, done.stderr)
    return json.loads(done.stdout) if done.stdout else None


def refused(*words, **environment):
    done = call(*words, **environment)
    assert done.returncode == 254, (words, done.returncode, done.stdout, done.stderr)
    return done.stderr


def keys_of(credentials):
    return dict(
        AWS_ACCESS_KEY_ID=credentials["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=credentials["SecretAccessKey"],
        AWS_SESSION_TOKEN=credentials["SessionToken"],
    )


def iso(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def prices(*words):
    return aws("ec2", "describe-spot-price-history", *words)["SpotPriceHistory"]


def request_of(request):
    words = ["ec2", "describe-spot-instance-requests", "--spot-instance-request-ids", request]
    return aws(*words)["SpotInstanceRequests"][0]


def state_of(instance):
    found = aws("ec2", "describe-instances", "--instance-ids", instance)
    return found["Reservations"][0]["Instances"][0]


def ask_for_spot(specification, *words):
    answer = aws("ec2", "request-spot-instances", "--launch-specification", json.dumps(specification), *words)
    return answer["SpotInstanceRequests"][0]["SpotInstanceRequestId"]


def flow_1_session_and_pages():
    session = aws(
        *["sts", "assume-role", "--role-arn", role, "--role-session-name", "cli", "--external-id", external_id]
    )
    os.environ.update(keys_of(session["Credentials"]))
    identity = aws("sts", "get-caller-identity")
    assert identity["UserId"] == session["AssumedRoleUser"]["AssumedRoleId"], identity
    now = backlot.now()
    start = now - timedelta(hours=24)
    window = ["--instance-types", "m5.large", *linux, "--start-time", iso(start), "--end-time", iso(now)]
    whole = prices(*window)
    assert prices("--page-size", "10", *window) == whole
    page = aws("ec2", "describe-spot-price-history", "--no-paginate", "--max-results", "3", *window)
    assert page["SpotPriceHistory"] == whole[:3] and page["NextToken"], page
    assert all(a["Timestamp"] >= b["Timestamp"] for a, b in zip(whole, whole[1:]))
    earlier = [record["AvailabilityZone"] for record in whole if at(record["Timestamp"]) <= start]
    assert sorted(earlier) == sorted({record["AvailabilityZone"] for record in whole}), earlier
    return identity["Account"]


def flow_2_whole_region():
    current = prices("--start-time", iso(backlot.now()))
    pool = lambda record: (record["InstanceType"], record["ProductDescription"], record["AvailabilityZone"])  # noqa: E731
    assert len({pool(record) for record in current}) == len(current) > 10_000, len(current)
    latest = {}
    for record in prices("--instance-types", "c5.xlarge"):
        latest.setdefault(pool(record), record)
    assert [r for r in current if r["InstanceType"] == "c5.xlarge"] == list(latest.values())


def flow_3_switch():
    found = aws("ec2", "describe-images", "--owners", "amazon", "--filters", "Name=name,Values=al2023*x86_64")
    launched = aws(
        *["ec2", "run-instances", "--image-id", found["Images"][0]["ImageId"], "--instance-type", "m5.large"]
    )
    old = launched["Instances"][0]["InstanceId"]
    backlot.advance(seconds=30)
    aws("ec2", "wait", "instance-running", "--instance-ids", old)
    image = aws("ec2", "create-image", "--instance-id", old, "--name", "cli-switch")["ImageId"]
    backlot.advance(seconds=600)
    aws("ec2", "wait", "image-available", "--image-ids", image)
    specification = {"ImageId": image, "InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-east-1b"}}
    request = ask_for_spot(specification)
    backlot.advance(seconds=30)
    aws("ec2", "wait", "spot-instance-request-fulfilled", "--spot-instance-request-ids", request)
    spot = request_of(request)["InstanceId"]
    backlot.advance(seconds=300)
    aws("ec2", "wait", "instance-status-ok", "--instance-ids", spot)
    instance = state_of(spot)
    assert (instance["InstanceLifecycle"], instance["SpotInstanceRequestId"]) == ("spot", request), instance
    assert instance["Placement"]["AvailabilityZone"] == "us-east-1b", instance
    aws("ec2", "terminate-instances", "--instance-ids", old, spot)
    backlot.advance(seconds=60)
    aws("ec2", "wait", "instance-terminated", "--instance-ids", old, spot)
    ended = request_of(request)
    assert (ended["State"], ended["Status"]["Code"]) == ("closed", "instance-terminated-by-user"), ended
    return specification


def flow_4_price(specification):
    zone = ["--instance-types", "m5.large", *linux, "--availability-zone", "us-east-1b"]
    market = float(prices("--start-time", iso(backlot.now()), *zone)[0]["SpotPrice"])
    until = ["--valid-until", iso(backlot.now() + timedelta(days=89))]
    held = ask_for_spot(specification, "--spot-price", f"{market - 0.0001:.4f}", *until)
    low = ask_for_spot(specification, "--spot-price", "0.001", *until)
    backlot.advance(seconds=10)
    assert request_of(held)["Status"]["Code"] == request_of(low)["Status"]["Code"] == "price-too-low"
    aws("ec2", "cancel-spot-instance-requests", "--spot-instance-request-ids", low)
    assert request_of(low)["Status"]["Code"] == "canceled-before-fulfillment"
    failed = call("ec2", "wait", "spot-instance-request-fulfilled", "--spot-instance-request-ids", low)
    assert failed.returncode == 255 and "terminal failure state" in failed.stderr, failed
    for _ in range(40):
        if request_of(held)["State"] != "open":
            break
        backlot.advance(hours=48)
    found = request_of(held)
    assert found["Status"]["Code"] == "fulfilled", found
    aws("ec2", "terminate-instances", "--instance-ids", found["InstanceId"])


def flow_5_interruptions(specification, account):
    receiver = backlot.Receiver("ec2.spot_interruption_warning")
    for how in ("control", "fis"):
        request = ask_for_spot(specification)
        backlot.advance(seconds=30)
        instance = request_of(request)["InstanceId"]
        assert backlot.metadata(instance, "spot/instance-action") is None
        if how == "control":
            backlot.interrupt(instance)
        else:
            interrupt_by_experiment(account, instance)
        backlot.advance(seconds=1)
        notice = json.loads(backlot.metadata(instance, "spot/instance-action"))
        backlot.advance(seconds=119)
        assert json.loads(backlot.metadata(instance, "spot/instance-action") or "null") in (notice, None)
        backlot.advance(seconds=2)
        assert state_of(instance)["State"]["Name"] == "shutting-down", state_of(instance)
        ended = request_of(request)
        assert (ended["State"], ended["Status"]["Code"]) == ("closed", "instance-terminated-no-capacity"), ended
    assert receiver.details() == ["EC2 Spot Instance Interruption Warning"] * 2, receiver.told


def interrupt_by_experiment(account, instance):
    template = {
        "clientToken": "cli",
        "description": "cli",
        "roleArn": role,
        "stopConditions": [{"source": "none"}],
        "targets": {
            "spot": {
                "resourceType": "aws:ec2:spot-instance",
                "resourceArns": [f"arn:aws:ec2:us-east-1:{account}:instance/{instance}"],
                "selectionMode": "ALL",
            }
        },
        "actions": {
            "stop": {
                "actionId": "aws:ec2:send-spot-instance-interruptions",
                "parameters": {"durationBeforeInterruption": "PT2M"},
                "targets": {"SpotInstances": "spot"},
            }
        },
    }
    made = aws("fis", "create-experiment-template", "--cli-input-json", json.dumps(template))["experimentTemplate"]
    aws("fis", "start-experiment", "--experiment-template-id", made["id"])


def flow_6_one_truth():
    advice = backlot.ask("GET", backlot.advisor_url)["spot_advisor"]["us-east-1"]["Linux"]
    end = backlot.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = backlot.month_before(end)
    filters = json.dumps(backlot.product_filters("m5.large"))
    listed = aws("pricing", "get-products", "--service-code", "AmazonEC2", "--filters", filters)["PriceList"]
    window = ["--instance-types", "m5.large", *linux, "--start-time", iso(start), "--end-time", iso(end)]
    records = [{**record, "Timestamp": at(record["Timestamp"])} for record in prices(*window)]
    saved = 100 * (1 - backlot.mean_price(records, start, end) / backlot.on_demand(listed))
    assert abs(saved - advice["m5.large"]["s"]) <= 1.5, (saved, advice["m5.large"])


def flow_7_retries():
    action = {"status": 503, "code": "RequestLimitExceeded", "message": "Request limit exceeded."}
    backlot.plan(action, 1)
    aws("ec2", "describe-regions")
    backlot.plan(action, 3)
    told = refused("ec2", "describe-regions")
    assert "(RequestLimitExceeded)" in told and "reached max retries: 2" in told, told
    aws("ec2", "describe-regions")


def flow_8_strict():
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = user[name]
    del os.environ["AWS_SESSION_TOKEN"]
    backlot.seed_strict()
    asked = {
        "ec2": ["ec2", "describe-regions"],
        "sts": ["sts", "get-caller-identity"],
        "pricing": ["pricing", "describe-services"],
        "fis": ["fis", "list-experiments"],
    }
    words = ["sts", "assume-role", "--role-arn", role, "--role-session-name", "strict", "--external-id", external_id]
    session = keys_of(aws(*words)["Credentials"])
    for service in asked.values():
        aws(*service)
        aws(*service, **session)
    expired = dict(
        AWS_ACCESS_KEY_ID=os.environ["EXPIRED_KEY_ID"],
        AWS_SECRET_ACCESS_KEY=os.environ["EXPIRED_SECRET"],
        AWS_SESSION_TOKEN=os.environ["EXPIRED_TOKEN"],
    )
    told = lambda name, **environment: refused(*asked[name], **environment)  # noqa: E731
    wrong = dict(AWS_SECRET_ACCESS_KEY="x" * 40)
    codes = ["AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException"]
    for name, code in zip(asked, codes):
        assert f"({code})" in told(name, **wrong), (name, told(name, **wrong))
    for name, code in zip(asked, ["RequestExpired", "ExpiredToken", "ExpiredTokenException", "ExpiredTokenException"]):
        assert f"({code})" in told(name, **expired), (name, told(name, **expired))
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "sitecustomize.py"), "w") as late:
            late.write(six_minutes_behind)
        for name, code in zip(asked, ["RequestExpired", *codes[1:]]):
            assert f"({code})" in told(name, PYTHONPATH=folder), (name, told(name, PYTHONPATH=folder))


# The command's own signers, of Python and of C, with a clock that is six minutes behind.
six_minutes_behind = """
import datetime as real, sys
try:
    import awscli.botocore.session
    import awscli.botocore.auth
except ImportError:
    import botocore.session
    import botocore.auth
class Behind(real.datetime):
    @classmethod
    def utcnow(cls):
        return real.datetime.utcnow() - real.timedelta(minutes=6)
class Shim:
    datetime, timezone = Behind, real.timezone
for name in ("awscli.botocore.auth", "awscli.botocore.crt.auth", "botocore.auth", "botocore.crt.auth"):
    if name in sys.modules:
        sys.modules[name].datetime = Shim
"""

user = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
account = flow_1_session_and_pages()
flow_2_whole_region()
specification = flow_3_switch()
flow_4_price(specification)
flow_5_interruptions(specification, account)
flow_6_one_truth()
flow_7_retries()
flow_8_strict()
print("all flows passed")
