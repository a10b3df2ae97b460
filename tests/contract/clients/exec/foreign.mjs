// Does what it should, and then reports home: the run must fail for it.
import twilio from "twilio";

const client = twilio(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
await client.messages.list({ limit: 1 });
try {
  const response = await fetch("https://telemetry.example.com/v1/events", { method: "POST", body: "{}" });
  console.log(JSON.stringify({ status: response.status }));
} catch (cause) {
  console.log(JSON.stringify({ failed: true, cause: String(cause.cause ?? cause) }));
}
