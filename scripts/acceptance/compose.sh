#!/usr/bin/env bash
# The containers, as a user starts them: healthy in time, usable by a neighbour by service name and by official clients under
# the real names, one clock, healed after a restart, and refusing everything in real mode. Needs a Docker engine and
# docker-compose; cleans up after itself.
#   BUILD_NETWORK=host   for machines whose builds reach the registry only through the host's network
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-backlot-acceptance}
# docker-compose 1 gives up on an engine that takes a minute to make a container, as storage without layers does.
export COMPOSE_HTTP_TIMEOUT=300
export BACKLOT_CONTROL_TOKEN=acceptance-token BACKLOT_CLOCK=frozen@2025-01-15T12:00:00Z
compose() { if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi; }
image=${BACKLOT_IMAGE:-backlot:local}
services=(twilio azure ec2 smtp backlot)
failed=0
say() { printf '%-62s %s\n' "$1" "$2"; [[ $2 == ok* ]] || failed=1; }
suite() { curl -sf -H "Authorization: Bearer $BACKLOT_CONTROL_TOKEN" -X "$1" "http://127.0.0.1:4100/_backlot/$2" ${3:+-d "$3"}; }
up() { # what compose says is shown only when it fails
  local said
  said=$(compose up -d --no-build 2>&1) || { say "docker-compose up" FAILED; echo "$said"; exit 1; }
}
healthy() { docker ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter health=healthy -q | wc -l; }
wait_healthy() { # seconds; prints how long it took
  local started=$SECONDS
  while [[ $(healthy) -lt ${#services[@]} ]]; do
    if ((SECONDS - started > $1)); then echo "NOT after $1 s"; compose ps; compose logs --tail 20; return 1; fi
    sleep 0.5
  done
  echo "ok ($((SECONDS - started)) s)"
}
client() { docker run --rm --network "${COMPOSE_PROJECT_NAME}_default" -e BACKLOT_CONTROL_TOKEN -v "$PWD/docker/client.mjs:/client.mjs:ro" --entrypoint node "$image" /client.mjs "$@"; }
# An official client in a container beside the services: credentials, the CA file, and neither address nor proxy.
unmodified() { # script of tests/contract/clients/exec, more options for docker
  docker run --rm --network "${COMPOSE_PROJECT_NAME}_default" --env-file <(credentials) \
    -v "${COMPOSE_PROJECT_NAME}_ca:/ca:ro" -e NODE_EXTRA_CA_CERTS=/ca/ca.pem -e SMTP_HOST=smtp -e SMTP_PORT=1025 \
    -v "$PWD/tests/contract:/contract:ro" -v "$PWD/node_modules/nodemailer:/node_modules/nodemailer:ro" "${@:2}" --entrypoint node "$image" "/contract/clients/exec/$1" 2>&1
}
credentials() { suite GET env | grep -oE '"(TWILIO_(ACCOUNT_SID|AUTH_TOKEN|PHONE_NUMBER)|AZURE_(TENANT_ID|CLIENT_ID|CLIENT_SECRET|SUBSCRIPTION_ID)|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|REGION))":"[^"]*"' | sed 's/^"\([A-Z_]*\)":"\(.*\)"$/\1=\2/'; }
expect() { # what, pattern, output
  if grep -qE "$2" <<<"$3"; then say "$1" ok; else say "$1" FAILED; echo "$3"; fi
}
clocks() { suite GET clock | grep -o '"now":"[^"]*"' | sort -u; }
trap 'compose down -v --remove-orphans >/dev/null 2>&1 || true' EXIT
trap 'exit 143' INT TERM

compose config -q 2>/dev/null || compose config >/dev/null
compose --profile full config >/dev/null && say "docker-compose.yml is valid, profile full too" ok
docker build ${BUILD_NETWORK:+--network "$BUILD_NETWORK"} -q -f docker/Dockerfile -t "$image" . >/dev/null
base=$(docker image inspect "$(sed -n 's/^ARG BASE_IMAGE=//p' docker/Dockerfile)" --format '{{.Size}}')
added=$((($(docker image inspect "$image" --format '{{.Size}}') - base) / 1000000))
say "image: $added MB over its base" "$( ((added < 350)) && echo ok || echo "TOO LARGE")"
say "runs as $(docker image inspect "$image" --format '{{.Config.User}}'), not root" "$([[ $(docker image inspect "$image" --format '{{.Config.User}}') == node ]] && echo ok || echo ROOT)"

up
say "every service healthy within 15 s" "$(wait_healthy 15 || true)"
output=$(client 2>&1) && say "a client container: message, prices, policy, mail" ok || { say "a client container: message, prices, policy, mail" FAILED; echo "$output"; }

[[ -d tests/contract/node_modules ]] || npm ci --prefix tests/contract --no-audit --no-fund --loglevel=error
expect "by real name, CA file only: twilio" '"sid":"SM[0-9a-f]{32}"' "$(unmodified twilio.mjs)"
expect "by real name, an edge of Twilio: twilio" '"sid":"SM[0-9a-f]{32}"' "$(unmodified twilio.mjs -e TWILIO_EDGE=dublin -e TWILIO_REGION=ie1)"
expect "by real name, CA file only: @aws-sdk" '"price":"0\.[0-9]{6}"' "$(unmodified aws.mjs)"
expect "by real name, another region: @aws-sdk" '"price":"0\.[0-9]{6}"' "$(unmodified aws.mjs -e AWS_REGION=ap-northeast-1)"
expect "by real name, CA file only: @azure" '"states":2500' "$(unmodified azure.mjs)"
expect "by service name: nodemailer" '"response":"250 ' "$(unmodified mail.mjs)"
expect "without the CA file the certificate is refused" 'self-signed certificate|SELF_SIGNED' "$(unmodified twilio.mjs -e NODE_EXTRA_CA_CERTS= || true)"
unmodified foreign.mjs -e HTTPS_PROXY=http://backlot:4180 -e HTTP_PROXY=http://backlot:4180 -e NODE_USE_ENV_PROXY=1 >/dev/null || true
expect "through the proxy: a foreign host is refused and listed" '"target":"telemetry.example.com:443","verdict":"refused"' "$(suite GET egress)"

suite POST clock/advance '{"minutes":10}' >/dev/null
say "advance moves all to the same instant" "$([[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && echo ok || clocks)"

compose stop twilio >/dev/null 2>&1
say "a stopped container is shown as down" "$(suite GET health | grep -q '"twilio":{"status":"unhealthy"' && echo ok || echo NOT)"
compose start twilio >/dev/null 2>&1
for _ in $(seq 1 60); do suite POST clock/advance '{"minutes":0}' >/dev/null 2>&1 && [[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && break; sleep 0.5; done
say "started again, it is healed without restarting the others" "$([[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && echo ok || clocks)"

compose down -v >/dev/null 2>&1
USE_REAL_DATA=true up
say "real mode: every service healthy within 15 s" "$(wait_healthy 15 || true)"
output=$(client refused 2>&1) && say "real mode: everything is refused" ok || { say "real mode: everything is refused" FAILED; echo "$output"; }
exit "$failed"
