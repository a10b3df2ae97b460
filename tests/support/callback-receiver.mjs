// Takes Twilio's status callbacks in a process of its own, each answered after 25 ms; a GET tells how many different ones came.
import { createServer } from "node:http";

const heard = new Set();
const server = createServer((incoming, outgoing) => {
  if (incoming.method === "GET") return outgoing.end(String(heard.size));
  let body = "";
  incoming.setEncoding("latin1").on("data", (chunk) => {
    body += chunk;
  });
  incoming.on("end", () => {
    const form = new URLSearchParams(body);
    heard.add(`${form.get("MessageSid")} ${form.get("MessageStatus")}`);
    setTimeout(() => outgoing.end(), 25);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
