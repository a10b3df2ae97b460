#!/usr/bin/env bash
# The operator's drill: a broken receiver, every event a dead letter with its attempts, the repair, the replay, and each
# event delivered exactly once. Advances the clock by an hour.
. "$(dirname "$0")/backlot.sh"

count=3
node "$here/receiver.mjs" >"$work/receiver" &
pids+=($!)
for _ in $(seq 50); do [ -s "$work/receiver" ] && break; sleep 0.1; done
receiver=$(cat "$work/receiver")
settle() { # waits until nothing is under way
  for _ in $(seq 100); do
    request GET "$control/webhooks/deliveries?limit=1"
    [ "$(body 'it.counts.inFlight + it.counts.ready')" = 0 ] && return
    sleep 0.05
  done
}

control="$twilio/_backlot"
say "An endpoint whose receiver answers 500"
request POST "$control/webhooks/endpoints" "{\"url\":\"$receiver/hook\",\"events\":[\"message.queued\",\"message.accepted\",\"message.sent\"],\"schedule\":\"short\"}"
expect "registered" "$status" 201
endpoint=$(body 'it.id')
undos+=("request DELETE $control/webhooks/endpoints/$endpoint")

say "$count messages, and the clock through the whole schedule"
for n in $(seq $count); do
  sms "dead letter $n"
  expect "message $n" "$status" 201
done
request POST "$BACKLOT_URL/_backlot/clock/advance" '{"hours":1}'
expect "advanced" "$status" 200
settle
request GET "$control/dead-letters"
own="it.deadLetters.filter((one) => one.endpoint === '$endpoint')"
dead=$(body "$own.length")
expect "there are dead letters" "$([ "$dead" -ge $count ] && echo yes)" yes
expect "each tried four times" "$(body "$own.every((one) => one.attempts.length === 4)")" true
expect "each attempt says why" "$(body "$own.every((one) => one.attempts.every(({ status }) => status === 500))")" true

say "The receiver is repaired and the dead letters are replayed"
curl -sS -X POST "$receiver/repair"
request POST "$control/dead-letters/replay" "{\"endpoint\":\"$endpoint\"}"
expect "replayed" "$(body 'it.replayed')" "$dead"
settle
request GET "$control/dead-letters"
expect "dead letters left" "$(body "$own.length")" 0
request GET "$receiver/state"
expect "events taken" "$(body 'it.ids')" "$dead"
expect "deliveries taken" "$(body 'it.deliveries')" "$dead"
finish
