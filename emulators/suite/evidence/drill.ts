/** The operator drill as a scenario: a receiver fails, its webhooks die, the operator repairs it and brings them back. */
import { Scenario } from "./scenario/schema.ts";

/** @param events how many webhooks are to die and come back */
export function drillScenario(events: number): Scenario {
  const variable = (name: string) => `$\{${name}}`;
  const letters = { service: "smtp", path: "/_backlot/dead-letters" };
  const accepted = (count: number) => ({
    receiver: "app",
    accepted: count,
    distinct: { header: "webhook-id", count },
  });
  return Scenario.parse({
    name: "operator-drill",
    title: `Operator drill with ${events} events`,
    about: "Register, emit, retry on the virtual clock, dead letters, repair, replay: each event arrives once.",
    clock: "2026-01-01T09:00:00Z",
    only: ["smtp"],
    receivers: { app: { answer: 500 } },
    steps: [
      {
        name: "Register an endpoint whose receiver answers 500",
        control: {
          service: "smtp",
          method: "POST",
          path: "/_backlot/webhooks/endpoints",
          json: {
            url: variable("receiver.app"),
            events: ["email.accepted"],
            schedule: "short",
            signingTime: "virtual",
          },
        },
        expect: { status: 201 },
      },
      {
        independent: [
          {
            name: "Emit an event",
            repeat: events,
            mail: {
              from: "app@backlot.test",
              to: [`guest-${variable("n")}@customer.example`],
              subject: `Ticket ${variable("n")}`,
              text: `Your ticket has the number ${variable("n")}.`,
            },
          },
        ],
      },
      { name: "Advance the clock through the schedule of retries", advance: { hours: 1 } },
      { name: "Nothing was accepted", received: accepted(0) },
      { name: "All are dead letters", control: letters, expect: { status: 200, json: { total: events } } },
      { name: "Repair the receiver", receiver: { name: "app", answer: 200 } },
      { name: "Replay the dead letters", replay: { service: "smtp" } },
      { name: "No dead letter is left", control: letters, expect: { status: 200, json: { total: 0 } } },
      { name: "The receiver got each event once", received: accepted(events) },
    ],
  });
}
