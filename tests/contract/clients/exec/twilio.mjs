// Knows nothing of Backlot: what an application does with Twilio's official client.
import twilio from "twilio";

const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER } = process.env;
const client = twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN);
const sent = [];
for (const body of ["one", "two", "three"])
  sent.push(await client.messages.create({ from: TWILIO_PHONE_NUMBER, to: "+12025550199", body }));
// A page size of one: the links to the next pages must lead to the same place.
const listed = await client.messages.list({ pageSize: 1, limit: 10 });
console.log(JSON.stringify({ sid: sent[0].sid, status: sent[0].status, listed: listed.length }));
