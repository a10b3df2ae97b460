#!/usr/bin/env bash
# Lists answer with a strong ETag, and 304 to a client that has them.
. "$(dirname "$0")/backlot.sh"

check() {
  local what=$1 url=$2 change=$3
  say "$what: $url"
  request GET "$url"
  expect "first answer" "$status" 200
  local tag
  tag=$(header etag)
  [[ $tag =~ ^\"[A-Za-z0-9_-]{27}\"$ ]] && strong=yes || strong=no
  expect "strong ETag ${tag:-(none)}" "$strong" yes
  request GET "$url" '' -H "If-None-Match: $tag"
  expect "same list again" "$status" 304
  expect "bytes sent with 304" "$(wc -c <"$work/body" | tr -d ' ')" 0
  $change
  request GET "$url" '' -H "If-None-Match: $tag"
  expect "after a change" "$status" 200
  [ "$(header etag)" != "$tag" ] && changed=yes || changed=no
  expect "another ETag" "$changed" yes
}

plan_fault() {
  request POST "$BACKLOT_URL/_backlot/faults" '{"id":"etag-check","match":{"path":"/no-such-path"},"action":{"status":500}}'
  undos+=("request DELETE $BACKLOT_URL/_backlot/faults/etag-check")
}
send_mail() {
  printf 'From: a@example.test\r\nTo: b@example.test\r\nSubject: etag\r\n\r\nhello\r\n' |
    curl -sS --mail-from a@example.test --mail-rcpt b@example.test --upload-file - "$(variable SMTP_URL)"
}

check "Control API" "$BACKLOT_URL/_backlot/faults" plan_fault
check "Mailbox" "$mail/api/v2/messages" send_mail
finish
