"""Knows nothing of Backlot: spot prices and the caller's identity through boto3."""
import json
from datetime import datetime, timezone

import boto3

account = boto3.client("sts").get_caller_identity()["Account"]
history = boto3.client("ec2").describe_spot_price_history(
    InstanceTypes=["m5.large"], ProductDescriptions=["Linux/UNIX"], StartTime=datetime.now(timezone.utc)
)["SpotPriceHistory"]
print(json.dumps({"account": account, "zones": len(history), "price": history[0]["SpotPrice"]}))
