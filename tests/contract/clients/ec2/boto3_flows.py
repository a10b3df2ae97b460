"""The acceptance flows of a spot back end through boto3, straight to the emulator or by the gateway."""
import json
import os
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import backlot
import boto3
import botocore.auth
import botocore.endpoint
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

role, external_id = os.environ["BACKLOT_ROLE_ARN"], os.environ["BACKLOT_EXTERNAL_ID"]
linux = {"ProductDescriptions": ["Linux/UNIX"]}


def client(name, retries=1, **more):
    config = Config(retries={"max_attempts": retries - 1}) if retries else None
    return boto3.client(name, endpoint_url=backlot.endpoint, config=config, region_name="us-east-1", **more)


def signed(session):
    keys = session["Credentials"]
    return dict(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def refused(call):
    try:
        call()
    except ClientError as failure:
        return failure.response["Error"]["Code"], failure.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("what should have been refused was answered")


def followed(ask, **window):
    records, token = [], ""
    while True:
        page = ask(NextToken=token, **window)
        records += page["SpotPriceHistory"]
        token = page["NextToken"]
        if token == "":
            return records


def waited(ec2, name, seconds, **arguments):
    """A waiter that polls at once and then every moment, while the clock is moved beside it."""
    waiter = ec2.get_waiter(name)
    mover = threading.Timer(0.05, backlot.advance, kwargs={"seconds": seconds})
    mover.start()
    waiter.wait(WaiterConfig={"Delay": 0.05, "MaxAttempts": 40}, **arguments)
    mover.join()


def fails(ec2, name, reason, **arguments):
    try:
        ec2.get_waiter(name).wait(WaiterConfig={"Delay": 0, "MaxAttempts": 3}, **arguments)
    except WaiterError as failure:
        assert reason in str(failure), failure
    else:
        sys.exit(f"the waiter {name} succeeded")


def flow_1_session_and_pages():
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="flow", ExternalId=external_id)
    identity = client("sts", **signed(session)).get_caller_identity()
    assert identity["UserId"] == session["AssumedRoleUser"]["AssumedRoleId"], identity
    ec2 = client("ec2", **signed(session))
    now = backlot.now()
    start = now - timedelta(hours=24)
    window = dict(InstanceTypes=["m5.large"], StartTime=start, EndTime=now, **linux)
    whole = ec2.describe_spot_price_history(**window)
    assert whole["NextToken"] == "", whole["NextToken"]
    pages = followed(ec2.describe_spot_price_history, MaxResults=10, **window)
    assert pages == whole["SpotPriceHistory"]
    assert all(a["Timestamp"] >= b["Timestamp"] for a, b in zip(pages, pages[1:]))
    earlier = [record["AvailabilityZone"] for record in pages if record["Timestamp"] <= start]
    assert sorted(earlier) == sorted({record["AvailabilityZone"] for record in pages}), earlier
    return ec2, identity["Account"], signed(session)


def flow_2_whole_region(ec2):
    now = backlot.now()
    current = followed(ec2.describe_spot_price_history, StartTime=now, MaxResults=1000)
    pool = lambda record: (record["InstanceType"], record["ProductDescription"], record["AvailabilityZone"])  # noqa: E731
    assert len({pool(record) for record in current}) == len(current) > 10_000, len(current)
    history = followed(ec2.describe_spot_price_history, InstanceTypes=["c5.xlarge"])
    latest = {}
    for record in history:
        latest.setdefault(pool(record), record)
    assert [r for r in current if r["InstanceType"] == "c5.xlarge"] == list(latest.values())


def flow_3_switch(ec2):
    image = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023*x86_64"]}])["Images"][0]
    old = ec2.run_instances(ImageId=image["ImageId"], InstanceType="m5.large", MinCount=1, MaxCount=1)["Instances"][0]
    ids = dict(InstanceIds=[old["InstanceId"]])
    waited(ec2, "instance_exists", 0, **ids)
    waited(ec2, "instance_running", 30, **ids)
    waited(ec2, "system_status_ok", 300, **ids)
    made = ec2.create_image(InstanceId=old["InstanceId"], Name="boto-switch")["ImageId"]
    waited(ec2, "image_exists", 0, ImageIds=[made])
    waited(ec2, "image_available", 600, ImageIds=[made])
    snapshots = [d["Ebs"]["SnapshotId"] for d in ec2.describe_images(ImageIds=[made])["Images"][0]["BlockDeviceMappings"]]
    waited(ec2, "snapshot_completed", 0, SnapshotIds=snapshots)
    spec = {"ImageId": made, "InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-east-1b"}}
    asked = ec2.request_spot_instances(LaunchSpecification=spec)["SpotInstanceRequests"][0]
    request = dict(SpotInstanceRequestIds=[asked["SpotInstanceRequestId"]])
    waited(ec2, "spot_instance_request_fulfilled", 30, **request)
    spot = ec2.describe_spot_instance_requests(**request)["SpotInstanceRequests"][0]["InstanceId"]
    waited(ec2, "instance_status_ok", 300, InstanceIds=[spot])
    instance = ec2.describe_instances(InstanceIds=[spot])["Reservations"][0]["Instances"][0]
    assert instance["InstanceLifecycle"] == "spot", instance
    assert instance["SpotInstanceRequestId"] == asked["SpotInstanceRequestId"], instance
    assert instance["Placement"]["AvailabilityZone"] == "us-east-1b", instance
    ec2.stop_instances(**ids)
    waited(ec2, "instance_stopped", 60, **ids)
    # Waiters that can fail do so at once, and those that cannot succeed run out of tries.
    fails(ec2, "instance_running", "Max attempts exceeded", **ids)
    ec2.terminate_instances(InstanceIds=[old["InstanceId"], spot])
    fails(ec2, "instance_running", "terminal failure state", **ids)
    waited(ec2, "instance_terminated", 60, InstanceIds=[old["InstanceId"], spot])
    fails(ec2, "instance_stopped", "terminal failure state", **ids)
    ended = ec2.describe_spot_instance_requests(**request)["SpotInstanceRequests"][0]
    assert (ended["State"], ended["Status"]["Code"]) == ("closed", "instance-terminated-by-user"), ended
    return spec


def flow_4_price(ec2, spec):
    zone = dict(InstanceTypes=["m5.large"], AvailabilityZone="us-east-1b", **linux)
    market = float(ec2.describe_spot_price_history(StartTime=backlot.now(), **zone)["SpotPriceHistory"][0]["SpotPrice"])
    ask = lambda price: ec2.request_spot_instances(  # noqa: E731
        SpotPrice=price, ValidUntil=backlot.now() + timedelta(days=89), LaunchSpecification=spec
    )["SpotInstanceRequests"][0]["SpotInstanceRequestId"]
    status = lambda request: ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[request])[  # noqa: E731
        "SpotInstanceRequests"
    ][0]
    held, low = ask(f"{market - 0.0001:.4f}"), ask("0.001")
    backlot.advance(seconds=10)
    for request in (held, low):
        assert (status(request)["State"], status(request)["Status"]["Code"]) == ("open", "price-too-low"), status(request)
    fails(ec2, "spot_instance_request_fulfilled", "Max attempts exceeded", SpotInstanceRequestIds=[low])
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[low])
    assert status(low)["Status"]["Code"] == "canceled-before-fulfillment", status(low)
    fails(ec2, "spot_instance_request_fulfilled", "terminal failure state", SpotInstanceRequestIds=[low])
    for _ in range(24 * 80):
        if status(held)["State"] != "open":
            break
        backlot.advance(hours=1)
    found = status(held)
    assert found["Status"]["Code"] == "fulfilled", found
    paid = ec2.describe_spot_price_history(StartTime=found["Status"]["UpdateTime"], EndTime=found["Status"]["UpdateTime"], **zone)
    assert float(paid["SpotPriceHistory"][0]["SpotPrice"]) <= market - 0.0001 + 1e-9, paid
    ec2.terminate_instances(InstanceIds=[found["InstanceId"]])


def flow_5_interruptions(ec2, spec, account, keys):
    receiver = backlot.Receiver("ec2.spot_interruption_warning", "ec2.rebalance_recommendation")
    fis = client("fis", **keys)
    for how in ("control", "fis"):
        asked = ec2.request_spot_instances(LaunchSpecification=spec)["SpotInstanceRequests"][0]
        request = dict(SpotInstanceRequestIds=[asked["SpotInstanceRequestId"]])
        backlot.advance(seconds=30)
        instance = ec2.describe_spot_instance_requests(**request)["SpotInstanceRequests"][0]["InstanceId"]
        price = lambda: ec2.describe_spot_price_history(  # noqa: E731
            InstanceTypes=["m5.large"], StartTime=started, EndTime=started, **linux
        )["SpotPriceHistory"]
        started = backlot.now()
        before = price()
        assert backlot.metadata(instance, "spot/instance-action") is None
        if how == "control":
            backlot.interrupt(instance)
        else:
            interrupt_by_experiment(fis, account, instance)
        backlot.advance(seconds=1)
        notice = json.loads(backlot.metadata(instance, "spot/instance-action"))
        assert notice["action"] == "terminate", notice
        deadline = datetime.fromisoformat(notice["time"].replace("Z", "+00:00"))
        assert 118 <= (deadline - started).total_seconds() <= 122, (notice, started)
        backlot.advance(seconds=60)
        assert json.loads(backlot.metadata(instance, "spot/instance-action")) == notice
        state = lambda: ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]  # noqa: E731
        assert state() == "running", state()
        backlot.advance(seconds=60)
        assert state() == "shutting-down", state()
        ended = ec2.describe_spot_instance_requests(**request)["SpotInstanceRequests"][0]
        assert (ended["State"], ended["Status"]["Code"]) == ("closed", "instance-terminated-no-capacity"), ended
        assert price() == before
    assert receiver.details().count("EC2 Spot Instance Interruption Warning") == 2, receiver.told


def interrupt_by_experiment(fis, account, instance):
    template = fis.create_experiment_template(
        clientToken="boto",
        description="boto",
        roleArn=role,
        stopConditions=[{"source": "none"}],
        targets={
            "spot": {
                "resourceType": "aws:ec2:spot-instance",
                "resourceArns": [f"arn:aws:ec2:us-east-1:{account}:instance/{instance}"],
                "selectionMode": "ALL",
            }
        },
        actions={
            "stop": {
                "actionId": "aws:ec2:send-spot-instance-interruptions",
                "parameters": {"durationBeforeInterruption": "PT2M"},
                "targets": {"SpotInstances": "spot"},
            }
        },
    )["experimentTemplate"]
    experiment = fis.start_experiment(experimentTemplateId=template["id"])["experiment"]
    backlot.advance(seconds=1)
    assert fis.get_experiment(id=experiment["id"])["experiment"]["state"]["status"] == "completed"


def flow_6_one_truth(ec2, keys):
    pricing = client("pricing", **keys)
    advice = backlot.ask("GET", backlot.advisor_url)["spot_advisor"]["us-east-1"]["Linux"]
    end = backlot.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for name in ("m5.large", "c5.xlarge", "r6g.2xlarge"):
        listed = pricing.get_products(ServiceCode="AmazonEC2", Filters=backlot.product_filters(name))["PriceList"]
        start = backlot.month_before(end)
        records = followed(ec2.describe_spot_price_history, InstanceTypes=[name], StartTime=start, EndTime=end, **linux)
        saved = 100 * (1 - backlot.mean_price(records, start, end) / backlot.on_demand(listed))
        assert abs(saved - advice[name]["s"]) <= 1.5, (name, saved, advice[name])


def flow_7_retries():
    # The waits between tries are counted, not sat through.
    botocore.endpoint.time.sleep, sleep = (lambda _: None), time.sleep
    action = {"status": 503, "code": "RequestLimitExceeded", "message": "Request limit exceeded."}
    backlot.plan(action, 1)
    answer = client("ec2", retries=None).describe_regions()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1, answer["ResponseMetadata"]
    backlot.plan(action, 5)
    try:
        client("ec2", retries=None).describe_regions()
        sys.exit("five refusals in a row were answered")
    except ClientError as failure:
        assert failure.response["Error"]["Code"] == "RequestLimitExceeded", failure.response
        assert failure.response["ResponseMetadata"]["RetryAttempts"] == 4, failure.response
    client("ec2").describe_regions()
    botocore.endpoint.time.sleep = sleep


def flow_8_strict():
    backlot.seed_strict()
    user = dict(
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    session = signed(client("sts", **user).assume_role(RoleArn=role, RoleSessionName="strict", ExternalId=external_id))
    wrong = {**user, "aws_secret_access_key": "x" * 40}
    expired = dict(
        aws_access_key_id=os.environ["EXPIRED_KEY_ID"],
        aws_secret_access_key=os.environ["EXPIRED_SECRET"],
        aws_session_token=os.environ["EXPIRED_TOKEN"],
    )
    calls = {
        "ec2": lambda keys: client("ec2", **keys).describe_regions(),
        "sts": lambda keys: client("sts", **keys).get_caller_identity(),
        "pricing": lambda keys: client("pricing", **keys).describe_services(),
        "fis": lambda keys: client("fis", **keys).list_experiments(),
    }
    for call in calls.values():
        call(user)
        call(session)
    told = lambda keys: {name: refused(lambda: call(keys)) for name, call in calls.items()}  # noqa: E731, B023
    expect(told(wrong), "AuthFailure 401", "SignatureDoesNotMatch 403", "InvalidSignatureException")
    expect(told(expired), "RequestExpired 400", "ExpiredToken 403", "ExpiredTokenException")

    with six_minutes_behind():
        expect(told(user), "RequestExpired 400", "SignatureDoesNotMatch 403", "InvalidSignatureException")


class six_minutes_behind:
    """The signers' clock: botocore's own, and the one in C that Debian installs beside it."""

    modules = [module for module in (botocore.auth, sys.modules.get("botocore.crt.auth")) if module]

    def __enter__(self):
        class Behind(datetime):
            @classmethod
            def utcnow(cls):
                return datetime.utcnow() - timedelta(minutes=6)

        shim = SimpleNamespace(datetime=Behind, timezone=timezone)

        for module in self.modules:
            module.datetime = shim

    def __exit__(self, *_):
        for module in self.modules:
            module.datetime = sys.modules["datetime"]


def expect(told, ec2, sts, others):
    spoken = {name: f"{code} {status}" for name, (code, status) in told.items()}
    assert (spoken["ec2"], spoken["sts"]) == (ec2, sts), spoken
    assert spoken["pricing"].startswith(others) and spoken["fis"].startswith(others), spoken


ec2, account, keys = flow_1_session_and_pages()
flow_2_whole_region(ec2)
spec = flow_3_switch(ec2)
flow_4_price(ec2, spec)
flow_5_interruptions(ec2, spec, account, keys)
flow_6_one_truth(ec2, keys)
assert refused(lambda: ec2.describe_instances(InstanceIds=["i-00000000000000000"]))[0] == "InvalidInstanceID.NotFound"
flow_7_retries()
flow_8_strict()
print("all flows passed")
