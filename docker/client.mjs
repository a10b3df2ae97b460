// Runs in a container beside the services, as an application would: sends a message, reads prices, queries policy, sends
// a mail, by service name. Prints one line each; the exit code says whether all went well.
import { connect } from "node:net";

const control = (name, port) =>
  fetch(`http://${name}:${port}/_backlot/env`, { headers: authorization })
    .then((response) => response.json())
    .then(({ environment }) => environment);
const authorization = process.env.BACKLOT_CONTROL_TOKEN
  ? { authorization: `Bearer ${process.env.BACKLOT_CONTROL_TOKEN}` }
  : {};
const expected = process.argv[2] === "refused" ? [503] : [200, 201];

async function say(what, response) {
  const text = await response.text();
  if (!expected.includes(response.status)) throw new Error(`${what}: ${response.status} ${text.slice(0, 300)}`);
  process.stdout.write(`${what}: ${response.status}\n`);
  return text;
}

const twilio = await control("twilio", 4101);
const form = (fields) => ({ method: "POST", body: new URLSearchParams(fields) });
await say(
  "message",
  await fetch(`http://twilio:4101/2010-04-01/Accounts/${twilio.TWILIO_ACCOUNT_SID}/Messages.json`, {
    ...form({ To: "+12025550199", From: twilio.TWILIO_PHONE_NUMBER, Body: "from a container" }),
    headers: { authorization: `Basic ${btoa(`${twilio.TWILIO_ACCOUNT_SID}:${twilio.TWILIO_AUTH_TOKEN}`)}` },
  }),
);
await say(
  "prices",
  await fetch(
    "http://ec2:4103/",
    form({ Action: "DescribeSpotPriceHistory", Version: "2016-11-15", "InstanceType.1": "m5.large", MaxResults: "5" }),
  ),
);

const azure = await control("azure", 4112);
const token = await say(
  "sign-in",
  await fetch(
    `http://azure:4112/${azure.AZURE_TENANT_ID}/oauth2/v2.0/token`,
    form({
      grant_type: "client_credentials",
      client_id: azure.AZURE_CLIENT_ID,
      client_secret: azure.AZURE_CLIENT_SECRET,
      scope: "https://management.azure.com/.default",
    }),
  ),
);
const bearer = expected.includes(200) ? `Bearer ${JSON.parse(token).access_token}` : "Bearer none";
await say(
  "policy",
  await fetch(
    `http://azure:4112/subscriptions/${azure.AZURE_SUBSCRIPTION_ID}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?api-version=2024-10-01&$top=3`,
    { method: "POST", headers: { authorization: bearer } },
  ),
);

const dialogue = [
  "EHLO client",
  "MAIL FROM:<a@example.test>",
  "RCPT TO:<b@example.test>",
  "DATA",
  "Subject: from a container\r\n\r\nhello\r\n.",
  "QUIT",
];
const said = await new Promise((resolve, reject) => {
  let text = "";
  const socket = connect(1025, "smtp");
  socket.on("data", (chunk) => {
    text += chunk;
    if (/^\d{3} .*\r\n$/m.test(String(chunk))) {
      const next = dialogue.shift();
      if (next) socket.write(`${next}\r\n`);
    }
  });
  socket.on("close", () => resolve(text));
  socket.on("error", reject);
});
const wanted = expected.includes(200) ? /^250 2\.0\.0 Ok: queued as/m : /^421 4\.3\.2/;
if (!wanted.test(said)) throw new Error(`mail: ${said}`);
process.stdout.write(`mail: ${/^(250 2\.0\.0 Ok.*|421.*)$/m.exec(said)?.[0]}\n`);
