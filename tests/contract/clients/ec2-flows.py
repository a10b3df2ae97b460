"""The flows of a spot back end through boto3: a control URL moves the clock while waiters of the real SDK poll."""
import json
import os
import sys
import threading
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

url = os.environ["BACKLOT_URL"]
now = datetime.fromisoformat(os.environ["BACKLOT_NOW"].replace("Z", "+00:00"))
config = Config(retries={"max_attempts": 1}, region_name="us-east-1")


def client(name, **more):
    return boto3.client(name, endpoint_url=url, config=config, region_name="us-east-1", **more)


def post(path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def advance(seconds):
    post("/_backlot/clock/advance", {"seconds": seconds})


def waited(ec2, name, seconds, **arguments):
    """A waiter that polls at once and then every moment, while the clock is moved beside it."""
    waiter = ec2.get_waiter(name)
    mover = threading.Timer(0.05, advance, [seconds])
    mover.start()
    waiter.wait(WaiterConfig={"Delay": 0.05, "MaxAttempts": 40}, **arguments)
    mover.join()


sts = client("sts")
session = sts.assume_role(
    RoleArn=os.environ["BACKLOT_ROLE_ARN"], RoleSessionName="flow", ExternalId=os.environ["BACKLOT_EXTERNAL_ID"]
)
keys = session["Credentials"]
signed = dict(
    aws_access_key_id=keys["AccessKeyId"],
    aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
)
identity = client("sts", **signed).get_caller_identity()
assert identity["UserId"] == session["AssumedRoleUser"]["AssumedRoleId"], identity
ec2 = client("ec2", **signed)

# Pages of ten are the one big page.
window = dict(
    InstanceTypes=["m5.large"], ProductDescriptions=["Linux/UNIX"], StartTime=now - timedelta(hours=24), EndTime=now
)
whole = ec2.describe_spot_price_history(**window)
assert whole["NextToken"] == "", whole["NextToken"]
pages, token = [], ""
while True:
    page = ec2.describe_spot_price_history(MaxResults=10, NextToken=token, **window)
    pages += page["SpotPriceHistory"]
    token = page["NextToken"]
    if token == "":
        break
assert pages == whole["SpotPriceHistory"]
assert all(a["Timestamp"] >= b["Timestamp"] for a, b in zip(pages, pages[1:]))

# The switch: image, spot request in a zone, checks, the old one ends.
image = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023*x86_64"]}])["Images"][0]
old = ec2.run_instances(ImageId=image["ImageId"], InstanceType="m5.large", MinCount=1, MaxCount=1)["Instances"][0]
waited(ec2, "instance_running", 30, InstanceIds=[old["InstanceId"]])
made = ec2.create_image(InstanceId=old["InstanceId"], Name="boto-switch")["ImageId"]
waited(ec2, "image_available", 600, ImageIds=[made])
spec = {"ImageId": made, "InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-east-1b"}}
asked = ec2.request_spot_instances(LaunchSpecification=spec)["SpotInstanceRequests"][0]
request = asked["SpotInstanceRequestId"]
waited(ec2, "spot_instance_request_fulfilled", 30, SpotInstanceRequestIds=[request])
found = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[request])["SpotInstanceRequests"][0]
spot = found["InstanceId"]
waited(ec2, "instance_status_ok", 300, InstanceIds=[spot])
instance = ec2.describe_instances(InstanceIds=[spot])["Reservations"][0]["Instances"][0]
assert instance["InstanceLifecycle"] == "spot" and instance["SpotInstanceRequestId"] == request
assert instance["Placement"]["AvailabilityZone"] == "us-east-1b"
ec2.terminate_instances(InstanceIds=[old["InstanceId"]])
waited(ec2, "instance_terminated", 60, InstanceIds=[old["InstanceId"]])

# A waiter fails at once when its request is cancelled before.
low = ec2.request_spot_instances(SpotPrice="0.001", LaunchSpecification=spec)["SpotInstanceRequests"][0]
ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[low["SpotInstanceRequestId"]])
try:
    ec2.get_waiter("spot_instance_request_fulfilled").wait(
        SpotInstanceRequestIds=[low["SpotInstanceRequestId"]], WaiterConfig={"Delay": 0, "MaxAttempts": 3}
    )
    sys.exit("the waiter succeeded")
except WaiterError as failure:
    assert "terminal failure state" in str(failure), failure
# And one that holds runs out of tries.
held = ec2.request_spot_instances(SpotPrice="0.001", LaunchSpecification=spec)["SpotInstanceRequests"][0]
advance(10)
try:
    ec2.get_waiter("spot_instance_request_fulfilled").wait(
        SpotInstanceRequestIds=[held["SpotInstanceRequestId"]], WaiterConfig={"Delay": 0, "MaxAttempts": 3}
    )
    sys.exit("the waiter succeeded")
except WaiterError as failure:
    assert "Max attempts exceeded" in str(failure), failure

# An interruption by FIS.
fis = client("fis", **signed)
template = fis.create_experiment_template(
    clientToken="boto",
    description="boto",
    roleArn=os.environ["BACKLOT_ROLE_ARN"],
    stopConditions=[{"source": "none"}],
    targets={
        "spot": {
            "resourceType": "aws:ec2:spot-instance",
            "resourceArns": [f"arn:aws:ec2:us-east-1:{identity['Account']}:instance/{spot}"],
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
advance(1)
assert fis.get_experiment(id=experiment["id"])["experiment"]["state"]["status"] == "completed"
advance(120)
ended = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[request])["SpotInstanceRequests"][0]
assert (ended["State"], ended["Status"]["Code"]) == ("closed", "instance-terminated-no-capacity"), ended

# Prices on demand.
pricing = client("pricing", **signed)
answer = pricing.get_products(
    ServiceCode="AmazonEC2",
    Filters=[
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in {
            "instanceType": "m5.large",
            "location": "US East (N. Virginia)",
            "operatingSystem": "Linux",
            "preInstalledSw": "NA",
            "tenancy": "Shared",
            "capacitystatus": "Used",
        }.items()
    ],
)
(product,) = [json.loads(one) for one in answer["PriceList"]]
(term,) = product["terms"]["OnDemand"].values()
(dimension,) = term["priceDimensions"].values()
assert dimension["pricePerUnit"]["USD"] == "0.0960000000", dimension

try:
    ec2.describe_instances(InstanceIds=["i-00000000000000000"])
    sys.exit("an instance that is not there was described")
except ClientError as failure:
    assert failure.response["Error"]["Code"] == "InvalidInstanceID.NotFound"
print("all flows passed")
