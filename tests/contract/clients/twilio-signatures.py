"""Knows nothing of Backlot: reads signed requests as JSON lines and says which the official validator refuses."""
import json
import sys

from twilio.request_validator import RequestValidator


class Form(dict):
    """What web frameworks hand over: every value of a repeated name."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = sorted(set(map(tuple, pairs)))

    def items(self):
        return self.pairs

    def getlist(self, name):
        return [value for key, value in self.pairs if key == name]


validator = RequestValidator(sys.argv[1])
seen, refused = 0, []
for line in sys.stdin:
    case = json.loads(line)
    params = case["body"] if "body" in case else Form(case["pairs"])
    seen += 1
    if not validator.validate(case["url"], params, case["signature"]):
        refused.append(case)
print(json.dumps({"seen": seen, "refused": refused}))
