/** Registered receivers: add one for all services, switch it off, remove it. */
import { useState } from "preact/hooks";
import type { ShownEndpoint } from "../../../../kernel/control-answers.ts";
import { shortNames } from "../journal-list.tsx";
import { Badge, Copy, Empty, Field, Panel, Problem, Said } from "../parts.tsx";
import { place, useAction, useLive, useResource, useShared } from "../state.ts";
import { Table } from "../table.tsx";

export function useEndpoints() {
  const live = useLive();
  return useResource<{ services: Readonly<Record<string, { endpoints: readonly ShownEndpoint[] }>> }>(
    "/_backlot/webhooks/endpoints",
    {
      mark: live.count(undefined, ["control"]),
    },
  );
}

export function Endpoints({ names }: { names: readonly string[] }) {
  const { api } = useShared();
  const action = useAction();
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState("*");
  const found = useEndpoints();
  const rows = Object.entries(found.value?.services ?? {}).flatMap(([service, { endpoints }]) =>
    endpoints.map((endpoint) => ({ service, ...endpoint })),
  );
  const act = (work: () => Promise<unknown>, done: string) =>
    action.run(async () => {
      await work();
      found.reload();
      return done;
    });
  return (
    <Panel title="Endpoints" class="fill">
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = events.split(/[\s,]+/).filter((one) => one !== "");
          act(
            () => api.send("POST", "/_backlot/webhooks/endpoints", { url, events: wanted }),
            `Registered at ${names.map((name) => shortNames[name] ?? name).join(", ")}.`,
          );
        }}
      >
        <Field label="URL" value={url} onInput={setUrl} placeholder="http://127.0.0.1:3000/webhooks" wide />
        <Field label="Events" value={events} onInput={setEvents} placeholder="message.*, email.delivered" />
        <button type="submit" disabled={action.busy || url === ""}>
          Register
        </button>
      </form>
      <Said action={action} />
      <Problem text={found.error} />
      {found.value && rows.length === 0 ? (
        <Empty title="No endpoint yet">Register one above; it hears of all services with one secret.</Empty>
      ) : (
        <Table
          rows={rows}
          keyOf={({ service, id }) => service + id}
          columns={[
            { title: "Service", class: "nowrap", cell: ({ service }) => shortNames[service] ?? service },
            { title: "URL", class: "mono wrap", cell: (row) => row.url },
            { title: "Events", cell: (row) => row.events.join(", ") },
            { title: "Signed as", cell: ({ schemes }) => schemes.join(", ") },
            {
              title: "State",
              cell: ({ enabled, disabledReason = "" }) => (
                <>
                  <Badge tone={enabled ? "good" : "warn"}>{enabled ? "on" : "off"}</Badge> {disabledReason}
                </>
              ),
            },
            {
              title: "Actions",
              hideTitle: true,
              class: "number nowrap",
              cell: (row) => <EndpointActions row={row} act={act} />,
            },
          ]}
        />
      )}
    </Panel>
  );
}

function EndpointActions({
  row,
  act,
}: {
  row: ShownEndpoint & { readonly service: string };
  act(work: () => Promise<unknown>, done: string): void;
}) {
  const { api } = useShared();
  const path = `/_backlot/members/${row.service}/webhooks/endpoints/${encodeURIComponent(row.id)}`;
  return (
    <>
      <a href={place("webhooks", "probe")}>Probe</a> <Copy text={row.secret} label="Copy secret" />
      <button
        type="button"
        class="quiet"
        onClick={() =>
          act(() => api.send("PATCH", path, { enabled: !row.enabled }), row.enabled ? "Switched off." : "Switched on.")
        }
      >
        {row.enabled ? "Switch off" : "Switch on"}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Remove ${row.url} at ${row.service}`}
        onClick={() => act(() => api.send("DELETE", path), "Removed.")}
      >
        Remove
      </button>
    </>
  );
}
