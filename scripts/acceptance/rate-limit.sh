#!/usr/bin/env bash
# Past the limit an account gets the provider's 429 with Retry-After; once that time is over it is let through again.
. "$(dirname "$0")/backlot.sh"

request PUT "$BACKLOT_URL/_backlot/limits" "{\"emulator\":\"twilio\",\"accounts\":{\"$account\":\"3/minute\"}}"
undos+=("request DELETE $BACKLOT_URL/_backlot/limits")
say "Three requests a minute for $account"
expect "limit set" "$status" 200
for n in 1 2 3; do
  request GET "$messages" '' -u "$account:$token"
  expect "request $n" "$status" 200
done
request GET "$messages" '' -u "$account:$token"
expect "request 4" "$status" 429
wait=$(header retry-after)
[[ $wait =~ ^[0-9]+$ && $wait -ge 1 && $wait -le 60 ]] && sane=yes || sane=no
expect "Retry-After ${wait:-(none)} within the minute" "$sane" yes
expect "error code in the provider's shape" "$(body 'it.code')" 20429
request GET "$messages" '' -u "AC00000000000000000000000000000000:x"
expect "another account is not throttled" "$([ "$status" != 429 ] && echo yes)" yes

say "After Retry-After on the virtual clock"
request POST "$BACKLOT_URL/_backlot/clock/advance" "{\"seconds\":${wait:-60}}"
expect "clock advanced" "$status" 200
request GET "$messages" '' -u "$account:$token"
expect "let through again" "$status" 200
finish
