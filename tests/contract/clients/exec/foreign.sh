curl -sS https://telemetry.example.com/v1/events -d '{}' || true
