/** What `watched-suite.ts` forks. */
import { createSuite } from "../../emulators/suite/suite.ts";

const perSecond = 2_000;
const suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_PACE: "0" } });
const journal = suite.emulators.find(({ name }) => name === "twilio")?.runtime.journal;
let [made, started] = [0, 0];
let timer: NodeJS.Timeout | undefined;

/** Of the kinds that views look out for. */
function produce(): void {
  const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
  for (; made < due; made += 1)
    journal?.append(made % 4 === 0 ? "delivery" : "change", `thing-${made}`, {
      resource: "thing",
      status: "made",
      url: `http://127.0.0.1:9/thing-${made}`,
      outcome: "delivered",
    });
}

process.on("message", (message) => {
  if (message === "start") {
    [made, started] = [0, performance.now()];
    timer = setInterval(produce, 5);
    process.send?.(true);
  } else {
    clearInterval(timer);
    process.send?.({ made, perSecond: made / ((performance.now() - started) / 1000) });
  }
});
// The page is bundled when somebody first asks.
await fetch(`${suite.url}/`, { headers: { accept: "text/html" } });
process.send?.({ url: suite.url, twilio: suite.services.twilio?.url, env: suite.env });
