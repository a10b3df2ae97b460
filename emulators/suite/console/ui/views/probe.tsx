/** Sends a receiver all that it must refuse and some that it must accept, and shows how it judged. */
import { useState } from "preact/hooks";
import { Badge, Empty, Field, Panel, Said, Select } from "../parts.tsx";
import { useAction, useShared } from "../state.ts";
import { Table } from "../table.tsx";
import { useEndpoints } from "./endpoints.tsx";

interface Report {
  readonly url: string;
  readonly scheme: string;
  readonly passed: boolean;
  readonly summary: {
    readonly cases: number;
    readonly passed: number;
    readonly failed: number;
    readonly advisories: number;
  };
  readonly results: readonly {
    readonly case: string;
    readonly about: string;
    readonly expected: "accept" | "reject";
    readonly status: number | null;
    readonly passed: boolean;
    readonly advisory?: true;
    readonly detail?: string;
  }[];
}

export function Probe({ names }: { names: readonly string[] }) {
  const { api } = useShared();
  const action = useAction();
  const endpoints = Object.values(useEndpoints().value?.services ?? {}).flatMap((page) => page.endpoints);
  const known = endpoints.filter((one, index) => endpoints.findIndex(({ url }) => url === one.url) === index);
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState("");
  const [scheme, setScheme] = useState("standard");
  const [report, setReport] = useState<Report | undefined>(undefined);
  const schemes = [
    ["standard", "Standard Webhooks"],
    ["stripe", "Stripe"],
    ["hex-sha256", "HMAC-SHA256, hex"],
  ] as const;
  return (
    <Panel
      title="Probe a receiver"
      class="fill"
      aside={
        report ? (
          <Badge tone={report.passed ? "good" : "bad"}>
            {report.passed ? "passed" : `${report.summary.failed} failed`}
          </Badge>
        ) : null
      }
    >
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          action.run(async () => {
            setReport(await api.send<Report>("POST", "/_backlot/webhooks/probe", { url, secret, scheme }));
            return undefined;
          });
        }}
      >
        <Select
          label="Endpoint"
          value={known.some((one) => one.url === url) ? url : ""}
          onChange={(chosen) => {
            setUrl(chosen);
            setSecret(known.find((one) => one.url === chosen)?.secret ?? "");
          }}
          options={[
            ["", known.length === 0 ? "None registered" : "Another one"],
            ...known.map((one) => [one.url, one.url] as const),
          ]}
        />
        <Field label="URL" value={url} onInput={setUrl} placeholder="http://127.0.0.1:3000/webhooks" wide />
        <Field label="Secret" value={secret} onInput={setSecret} placeholder="whsec_…" wide />
        <Select label="Signed as" value={scheme} onChange={setScheme} options={schemes} />
        <button type="submit" disabled={action.busy || url === "" || secret === "" || names.length === 0}>
          {action.busy ? "Probing…" : "Probe"}
        </button>
      </form>
      <Said action={action} />
      {report ? (
        <Table
          label="How the receiver judged"
          rows={report.results}
          keyOf={(row) => row.case}
          columns={[
            { title: "Case", class: "nowrap", cell: (row) => row.case },
            {
              title: "What was sent",
              cell: ({ about, detail }) => (
                <>
                  {about} {detail === undefined ? null : <span class="faint">{detail}</span>}
                </>
              ),
            },
            { title: "Should", cell: ({ expected }) => expected },
            { title: "Answer", class: "number mono", cell: ({ status }) => status ?? "none" },
            {
              title: "Verdict",
              cell: ({ passed, advisory }) => (
                <Badge tone={passed ? "good" : advisory ? "warn" : "bad"}>
                  {passed ? "as it should" : advisory ? "consider" : "wrong"}
                </Badge>
              ),
            },
          ]}
        />
      ) : (
        <Empty title="Nothing probed yet">
          A forged, stale or doubled webhook that the receiver accepts is found here and not in production.
        </Empty>
      )}
    </Panel>
  );
}
