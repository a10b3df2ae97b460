/** What a mail server does to mail on a bad day: planned for the next one, and what of it has come to pass. */
import { useState } from "preact/hooks";
import { Field, Problem, Said, Select } from "../parts.tsx";
import { FaultTable, usePlannedFaults } from "./faults.tsx";

/** The usual ones; the control API plans any. `rcpt` is the answer to RCPT TO, `eod` that to the whole message. */
const mishaps = {
  later: ["Recipient refused for now (451)", "rcpt", { status: 451, code: "4.7.1", message: "Try again later" }],
  never: ["Recipient refused for good (550)", "rcpt", { status: 550, code: "5.1.1", message: "No such user here" }],
  content: ["Message refused after DATA (554)", "eod", { status: 554, code: "5.7.1", message: "Message refused" }],
  bounce: ["Accepted, then bounced", "rcpt", { effect: "bounce" }],
  defer: ["Accepted, then delivered late", "rcpt", { effect: "defer" }],
  lost: ["Accepted and lost", "eod", { effect: "discard" }],
  slow: ["Answered after 5 s", "rcpt", { delayMs: 5_000 }],
  cut: ["Connection cut after the message", "eod", { reset: true }],
} as const;
type Mishap = keyof typeof mishaps;
const isMishap = (name: string): name is Mishap => Object.hasOwn(mishaps, name);

export function MailFaults({ recipient = "" }: { recipient?: string }) {
  const planned = usePlannedFaults("smtp");
  const [to, setTo] = useState(recipient);
  const [mishap, setMishap] = useState<Mishap>("later");
  const [times, setTimes] = useState("1");
  const plan = () => {
    const [, stage, action] = mishaps[mishap];
    const rule = {
      emulator: "smtp",
      match: { stage, ...(to === "" ? {} : { facts: { to } }) },
      action,
      ...(times === "" ? {} : { times: Number(times) }),
    };
    planned.plan(rule);
  };
  return (
    <>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          plan();
        }}
      >
        <Field label="Mail to" value={to} onInput={setTo} placeholder="anybody, *@example.org" wide />
        <Select
          label="What becomes of it"
          value={mishap}
          onChange={(name) => isMishap(name) && setMishap(name)}
          options={Object.entries(mishaps).map(([name, [title]]) => [name, title] as const)}
          wide
        />
        <Field label="Times" type="number" value={times} onInput={setTimes} placeholder="always" />
        <button type="submit" disabled={planned.action.busy}>
          Plan
        </button>
      </form>
      <Said action={planned.action} />
      <Problem text={planned.error} />
      {planned.faults.length === 0 ? null : <FaultTable planned={planned} />}
    </>
  );
}
