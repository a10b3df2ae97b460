#!/usr/bin/env bash
# The containers, as a user starts them: healthy in time, usable by a neighbour, one clock, healed after a restart, and
# refusing everything in real mode. Needs a Docker engine and docker-compose; cleans up after itself.
#   BUILD_NETWORK=host   for machines whose builds reach the registry only through the host's network
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-backlot-acceptance}
export BACKLOT_CONTROL_TOKEN=acceptance-token BACKLOT_CLOCK=frozen@2025-01-15T12:00:00Z
compose() { if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi; }
image=${BACKLOT_IMAGE:-backlot:local}
services=(twilio azure ec2 smtp backlot)
failed=0
say() { printf '%-62s %s\n' "$1" "$2"; [[ $2 == ok* ]] || failed=1; }
suite() { curl -sf -H "Authorization: Bearer $BACKLOT_CONTROL_TOKEN" -X "$1" "http://127.0.0.1:4100/_backlot/$2" ${3:+-d "$3"}; }
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
clocks() { suite GET clock | grep -o '"now":"[^"]*"' | sort -u; }
trap 'compose down -v --remove-orphans >/dev/null 2>&1 || true' EXIT

compose config -q 2>/dev/null || compose config >/dev/null
compose --profile full config >/dev/null && say "docker-compose.yml is valid, profile full too" ok
docker build ${BUILD_NETWORK:+--network "$BUILD_NETWORK"} -q -f docker/Dockerfile -t "$image" . >/dev/null
base=$(docker image inspect "$(sed -n 's/^ARG BASE_IMAGE=//p' docker/Dockerfile)" --format '{{.Size}}')
added=$((($(docker image inspect "$image" --format '{{.Size}}') - base) / 1000000))
say "image: $added MB over its base" "$( ((added < 350)) && echo ok || echo "TOO LARGE")"
say "runs as $(docker image inspect "$image" --format '{{.Config.User}}'), not root" "$([[ $(docker image inspect "$image" --format '{{.Config.User}}') == node ]] && echo ok || echo ROOT)"

compose up -d --no-build >/dev/null 2>&1
say "every service healthy within 15 s" "$(wait_healthy 15 || true)"
output=$(client 2>&1) && say "a client container: message, prices, policy, mail" ok || { say "a client container: message, prices, policy, mail" FAILED; echo "$output"; }

suite POST clock/advance '{"minutes":10}' >/dev/null
say "advance moves all to the same instant" "$([[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && echo ok || clocks)"

compose stop twilio >/dev/null 2>&1
say "a stopped container is shown as down" "$(suite GET health | grep -q '"twilio":{"status":"unhealthy"' && echo ok || echo NOT)"
compose start twilio >/dev/null 2>&1
for _ in $(seq 1 60); do suite POST clock/advance '{"minutes":0}' >/dev/null 2>&1 && [[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && break; sleep 0.5; done
say "started again, it is healed without restarting the others" "$([[ $(clocks) == '"now":"2025-01-15T12:10:00.000Z"' ]] && echo ok || clocks)"

compose down -v >/dev/null 2>&1
USE_REAL_DATA=true compose up -d --no-build >/dev/null 2>&1
say "real mode: every service healthy within 15 s" "$(wait_healthy 15 || true)"
output=$(client refused 2>&1) && say "real mode: everything is refused" ok || { say "real mode: everything is refused" FAILED; echo "$output"; }
exit "$failed"
