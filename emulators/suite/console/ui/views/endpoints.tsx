/** Registered receivers: add one for all services, switch it off, remove it. */
import { useState } from "preact/hooks";
import { Badge, Copy, Empty, Field, Panel, Problem, Said } from "../parts.tsx";
import { place, useAction, useLive, useResource, useShared } from "../state.ts";

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly schemes: readonly string[];
  readonly secret: string;
  readonly enabled: boolean;
  readonly disabledReason?: string;
}

export function useEndpoints() {
  const live = useLive();
  return useResource<{ services: Readonly<Record<string, { endpoints: readonly Endpoint[] }>> }>(
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
            `Registered at ${names.join(", ")}.`,
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
        <div class="table-box">
          <table>
            <thead>
              <tr>
                <th>Service</th>
                <th>URL</th>
                <th>Events</th>
                <th>Signed as</th>
                <th>State</th>
                <th>
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const path = `/_backlot/members/${row.service}/webhooks/endpoints/${encodeURIComponent(row.id)}`;
                return (
                  <tr key={row.service + row.id}>
                    <th scope="row">{row.service}</th>
                    <td class="mono">{row.url}</td>
                    <td>{row.events.join(", ")}</td>
                    <td>{row.schemes.join(", ")}</td>
                    <td>
                      <Badge tone={row.enabled ? "good" : "warn"}>{row.enabled ? "on" : "off"}</Badge>{" "}
                      {row.disabledReason ?? ""}
                    </td>
                    <td class="number nowrap">
                      <a href={place("webhooks", "probe")}>Probe</a> <Copy text={row.secret} label="Copy secret" />
                      <button
                        type="button"
                        class="quiet"
                        onClick={() =>
                          act(
                            () => api.send("PATCH", path, { enabled: !row.enabled }),
                            row.enabled ? "Switched off." : "Switched on.",
                          )
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
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
