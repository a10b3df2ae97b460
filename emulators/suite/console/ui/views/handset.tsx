/** What the person at the other end can do: write, call, press keys, hang up; and read the codes that were sent. */
import { useState } from "preact/hooks";
import { Badge, Copy, Empty, Field, Said, Time } from "../parts.tsx";
import { go, useAction, useLive, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";
import type { Call } from "./conversations.ts";

export const own = "/_backlot/members/twilio/twilio";

/** Stands under a conversation: whatever is sent comes from the other number. */
export function Reply({ from, to }: { from: string; to: string }) {
  const { api } = useShared();
  const action = useAction();
  const [body, setBody] = useState("");
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        action.run(async () => {
          await api.send("POST", `${own}/inbound-messages`, { from, to, body });
          setBody("");
          return undefined;
        });
      }}
    >
      <div class="inline">
        <Field
          label={`Reply as ${from}`}
          hideLabel
          placeholder={`Reply as ${from}`}
          value={body}
          onInput={setBody}
          wide
        />
        <button type="submit" disabled={action.busy || body === ""}>
          Send
        </button>
        <button
          type="button"
          disabled={action.busy}
          title={`${from} calls ${to}`}
          onClick={() =>
            action.run(async () => {
              await api.send("POST", `${own}/inbound-calls`, { from, to });
              return undefined;
            })
          }
        >
          Call in
        </button>
      </div>
      <Said action={action} />
    </form>
  );
}

/** Buttons of a call that is under way. */
export function OnTheLine({ call }: { call: Call }) {
  const { api } = useShared();
  const action = useAction();
  const [digits, setDigits] = useState("");
  const listens = call.waitingFor === "gather" || call.waitingFor === "record";
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        action.run(async () => {
          await api.send("POST", `${own}/calls/${call.sid}/input`, { digits });
          setDigits("");
          return undefined;
        });
      }}
    >
      <div class="inline">
        <Field
          label="Keys to press"
          hideLabel
          placeholder={listens ? "Keys: 1234#" : "It listens to no keys now"}
          value={digits}
          onInput={setDigits}
        />
        <button type="submit" disabled={action.busy || digits === "" || !listens}>
          Press
        </button>
        <button
          type="button"
          class="danger"
          disabled={action.busy}
          onClick={() =>
            action.run(async () => {
              await api.send("POST", `${own}/calls/${call.sid}/hangup`);
              return undefined;
            })
          }
        >
          Hang up
        </button>
      </div>
      <Said action={action} />
    </form>
  );
}

/** Somebody who has not written before. */
export function NewHandset() {
  const { api } = useShared();
  const action = useAction();
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [body, setBody] = useState("");
  const made = (sent: { readonly from: string; readonly to: string }) => go("messages", `${sent.to} ${sent.from}`);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        action.run(async () => {
          made(
            await api.send<{ from: string; to: string }>("POST", `${own}/inbound-messages`, {
              from,
              to,
              body,
            }),
          );
          return undefined;
        });
      }}
    >
      <div class="fields">
        <Field label="From (any number)" value={from} onInput={setFrom} placeholder="+12025550110" narrow />
        <Field label="To (a number of yours)" value={to} onInput={setTo} placeholder="+12025550100" narrow />
        <Field label="Text" value={body} onInput={setBody} placeholder="Hello" wide />
        <button type="submit" disabled={action.busy || from === "" || to === ""}>
          Write
        </button>
        <button
          type="button"
          disabled={action.busy || from === "" || to === ""}
          onClick={() =>
            action.run(async () => {
              made(await api.send<{ from: string; to: string }>("POST", `${own}/inbound-calls`, { from, to }));
              return undefined;
            })
          }
        >
          Call
        </button>
      </div>
      <Said action={action} />
    </form>
  );
}

interface Verification {
  readonly sid: string;
  readonly to: string;
  readonly channel: string;
  readonly status: string;
  readonly code: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export function Codes() {
  const live = useLive();
  const { value } = useResource<{ verifications: readonly Verification[] }>(`${own}/verifications`, {
    mark: live.count("twilio", ["change", "control"]),
  });
  const rows = value?.verifications ?? [];
  if (rows.length === 0)
    return <Empty title="No verification code">Start one with Twilio Verify; its code can be copied here.</Empty>;
  return (
    <Table
      label="Verification codes"
      rows={rows.slice(0, 100)}
      keyOf={({ sid }) => sid}
      columns={[
        {
          title: "To",
          class: "mono",
          cell: ({ to, channel }) => (
            <>
              {to} <span class="faint">{channel}</span>
            </>
          ),
        },
        {
          title: "Code",
          class: "nowrap",
          cell: ({ code }) => (
            <>
              <span class="mono strong">{code}</span> <Copy text={code} />
            </>
          ),
        },
        {
          title: "State",
          cell: ({ status }) => (
            <Badge tone={status === "approved" ? "good" : status === "pending" ? "info" : "plain"}>{status}</Badge>
          ),
        },
        { title: "Good until", cell: ({ expiresAt }) => <Time iso={expiresAt} /> },
      ]}
    />
  );
}
