"""Does nothing but report home: the run must fail for it."""
import json
import urllib.request

try:
    urllib.request.urlopen("https://telemetry.example.com/v1/events", data=b"{}", timeout=5)
    print(json.dumps({"reached": True}))
except OSError as cause:
    print(json.dumps({"reached": False, "cause": str(cause)}))
