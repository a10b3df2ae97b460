#!/usr/bin/env bash
# A POST repeated under one Idempotency-Key is executed once; another body under that key is refused.
. "$(dirname "$0")/backlot.sh"

key="acceptance-$$-$(date +%s)"
sid() { body 'it.sid'; }
say "A message under the key $key"
sms "hello" -H "Idempotency-Key: $key"
expect "first" "$status" 201
first=$(sid)
expect "not marked as replayed" "$(header idempotent-replayed)" ""
sms "hello" -H "Idempotency-Key: $key"
expect "again" "$status" 201
expect "the same message" "$(sid)" "$first"
expect "marked as replayed" "$(header idempotent-replayed)" true
sms "something else" -H "Idempotency-Key: $key"
expect "another body under the key" "$status" 422
sms "hello" -H "Idempotency-Key: $key-2"
expect "another key" "$status" 201
expect "another message" "$([ "$(sid)" != "$first" ] && echo yes)" yes

say "Ten at once under one key"
for n in $(seq 10); do
  curl -sS -u "$account:$token" -H "Idempotency-Key: $key-3" -o "$work/answer.$n" \
    --data-urlencode "To=+15005550009" --data-urlencode "From=$from" --data-urlencode "Body=race" "$messages" &
  racers[n]=$!
done
wait "${racers[@]}"
distinct=$(for n in $(seq 10); do json 'it.sid' <"$work/answer.$n"; done | sort -u | wc -l | tr -d ' ')
expect "messages made" "$distinct" 1

say "The control API"
for _ in 1 2; do request POST "$BACKLOT_URL/_backlot/clock/advance" '{"seconds":1}' -H "Idempotency-Key: $key-4"; done
expect "second advance" "$status" 200
expect "marked as replayed" "$(header idempotent-replayed)" true
finish
