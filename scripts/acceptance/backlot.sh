# Sourced by the acceptance scripts. Uses the Backlot at BACKLOT_URL, or starts one of its own on free ports and ends it
# with the script. BACKLOT_CONTROL_TOKEN is sent when it is set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
pids=()
failures=0

cleanup() {
  for undo in "${undos[@]:-}"; do [ -z "$undo" ] || $undo || true; done
  for pid in "${pids[@]:-}"; do [ -z "$pid" ] || kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
undos=()
trap cleanup EXIT

say() { printf '\n%s\n' "$*"; }

# expect WHAT ACTUAL WANTED
expect() {
  if [ "$2" = "$3" ]; then
    printf '  ok    %s: %s\n' "$1" "$2"
  else
    printf '  FAIL  %s: %s, wanted %s\n' "$1" "${2:-(nothing)}" "$3"
    failures=$((failures + 1))
  fi
}

finish() {
  if [ "$failures" -gt 0 ]; then
    printf '\n%s of the checks failed.\n' "$failures"
    exit 1
  fi
  printf '\nAll checks passed.\n'
}

# json EXPRESSION: evaluates it with the JSON on standard input as `it`.
json() { node -e 'const it = JSON.parse(require("node:fs").readFileSync(0, "utf8")); const value = eval(process.argv[1]); console.log(typeof value === "string" ? value : JSON.stringify(value));' "$1"; }

# request METHOD URL [BODY] [curl options]: leaves the status in $status, headers in $work/headers, the body in $work/body.
request() {
  local method=$1 url=$2 body=${3-}
  shift $(($# > 2 ? 3 : 2))
  local options=(-sS -o "$work/body" -D "$work/headers" -w '%{http_code}' -X "$method")
  [ -z "$body" ] || options+=(--data "$body")
  # A control body is JSON; what goes to a provider is a form, curl's own default.
  case $url in */_backlot/*) options+=(-H 'content-type: application/json') ;; esac
  [ -z "${BACKLOT_CONTROL_TOKEN-}" ] || case $url in */_backlot/*) options+=(-H "authorization: Bearer $BACKLOT_CONTROL_TOKEN") ;; esac
  : >"$work/body"
  status=$(curl "${options[@]}" "$@" "$url")
}

# header NAME: its value in the last answer.
header() { tr -d '\r' <"$work/headers" | awk -v name="$1" 'tolower($1) == tolower(name) ":" { sub(/^[^:]*: */, ""); print; exit }'; }

body() { json "$1" <"$work/body"; }

if [ -z "${BACKLOT_URL-}" ]; then
  export BACKLOT_CLOCK=${BACKLOT_CLOCK-frozen@2025-01-15T12:00:00Z}
  for name in PORT TWILIO_PORT AZURE_PORT AZURE_HTTP_PORT EC2_PORT IMDS_PORT SMTP_PORT MAIL_PORT; do export "BACKLOT_$name=0"; done
  node "$here/../launcher.mjs" up --json --only twilio,smtp >"$work/ready" 2>"$work/log" &
  pids+=($!)
  for _ in $(seq 100); do
    [ -s "$work/ready" ] && break
    kill -0 "${pids[0]}" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  BACKLOT_URL=$(json 'it.services.suite.url' <"$work/ready")
  say "A Backlot of our own at $BACKLOT_URL"
else
  say "The Backlot at $BACKLOT_URL"
fi

# The variables a client needs, from the running Backlot.
request GET "$BACKLOT_URL/_backlot/env"
cp "$work/body" "$work/env"
variable() { json "it.environment.$1 ?? ''" <"$work/env"; }
mail=$(variable MAIL_URL)
twilio=$(variable BACKLOT_TWILIO_URL)
account=$(variable TWILIO_ACCOUNT_SID)
token=$(variable TWILIO_AUTH_TOKEN)
from=$(variable TWILIO_PHONE_NUMBER)
messages="$twilio/2010-04-01/Accounts/$account/Messages.json"
# sms TEXT [curl options]: creates a message.
sms() {
  local text=$1
  shift
  request POST "$messages" '' -u "$account:$token" --data-urlencode "To=+15005550009" --data-urlencode "From=$from" --data-urlencode "Body=$text" "$@"
}
