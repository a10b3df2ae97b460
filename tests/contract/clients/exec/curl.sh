# Knows nothing of Backlot: Twilio's quick start in curl, and an AWS service without a signature.
set -e
curl -sSf -X POST "https://api.twilio.com/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" \
  --data-urlencode "To=+12025550199" --data-urlencode "From=$TWILIO_PHONE_NUMBER" --data-urlencode "Body=Hello" \
  -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" -o /dev/null -w '%{http_code}\n'
