/** Compliance by scope, initiative, policy and resource; what changed; what is being put right. */
import { useMemo, useState } from "preact/hooks";
import { Empty, Field, Panel, Problem, Select, Tabs } from "../parts.tsx";
import { go, place, useResource } from "../state.ts";
import { Policies } from "./compliance-policies.tsx";
import { arm, eventsOf, filters, lastOf, listOf, statesOf } from "./compliance-query.ts";
import { Remediations } from "./compliance-remediations.tsx";
import { type Names, States, useQuery } from "./compliance-states.tsx";

interface Named {
  readonly id: string;
  readonly name: string;
  readonly displayName?: string;
  readonly properties?: { readonly displayName?: string };
}
type NamedPage = { readonly value: readonly Named[] };

const tabs = [
  ["policies", "Policies"],
  ["resources", "Resources"],
  ["changes", "Changed since yesterday"],
  ["remediations", "Remediations"],
] as const;

/** `#/compliance/<tab>/<scope>/...`: the scope's id is one segment. */
export function Compliance({ rest }: { rest: readonly string[] }) {
  const [tab = "policies", asked, ...more] = rest;
  const subscriptions = useQuery<NamedPage>(listOf("/subscriptions", "2022-12-01"));
  const groups = useQuery<NamedPage>(listOf("/providers/Microsoft.Management/managementGroups", "2020-05-01"));
  const names = useNames();
  const scope = asked ?? subscriptions.value?.value[0]?.id;
  if (scope === undefined)
    return (
      <Panel title="Compliance" class="fill">
        <Problem text={subscriptions.error} />
        {subscriptions.value ? <Empty title="No subscription">The seed has none; see fixtures/seeds.</Empty> : null}
      </Panel>
    );
  return (
    <div class="tabbed">
      <div class="bar">
        <Tabs
          label="Compliance"
          current={tab}
          href={(name) => place("compliance", name, scope)}
          tabs={tabs.map(([id, title]) => ({ id, title }))}
        />
        <span class="push" />
        <ScopeChoice
          scope={scope}
          tab={tab}
          subscriptions={subscriptions.value?.value ?? []}
          groups={groups.value?.value ?? []}
        />
      </div>
      {tab === "resources" ? (
        <Resources key={scope} scope={scope} chosen={more[0]} names={names} />
      ) : tab === "changes" ? (
        <Changes key={scope} scope={scope} chosen={more[0]} names={names} />
      ) : tab === "remediations" ? (
        <Remediations key={scope} scope={scope} />
      ) : (
        <Policies key={scope} scope={scope} rest={more} names={names} />
      )}
    </div>
  );
}

function useNames(): Names {
  const definitions = useQuery<NamedPage>(
    listOf("/providers/Microsoft.Authorization/policyDefinitions", "2023-04-01"),
  ).value;
  const sets = useQuery<NamedPage>(
    listOf("/providers/Microsoft.Authorization/policySetDefinitions", "2023-04-01"),
  ).value;
  return useMemo(() => {
    const known = new Map(
      [...(definitions?.value ?? []), ...(sets?.value ?? [])].map(
        ({ id, name, properties }) => [id.toLowerCase(), properties?.displayName ?? name] as const,
      ),
    );
    return { of: (id) => known.get(id?.toLowerCase() ?? "") ?? lastOf(id ?? "") };
  }, [definitions, sets]);
}

function ScopeChoice(props: { scope: string; tab: string; subscriptions: readonly Named[]; groups: readonly Named[] }) {
  const { scope, tab, subscriptions, groups } = props;
  const parts = scope.split("/");
  const subscription = parts[1]?.toLowerCase() === "subscriptions" ? parts.slice(0, 3).join("/") : undefined;
  const resourceGroups = useResource<NamedPage>(
    subscription && arm + listOf(`${subscription}/resourcegroups`, "2022-12-01").path,
  );
  const show = (id: string) => go("compliance", tab, id);
  return (
    <div class="buttons">
      <Select
        label="Scope"
        hideLabel
        value={subscription ?? scope}
        onChange={show}
        options={[
          ...groups.map(({ id, name }) => [id, `Management group ${name}`] as const),
          ...subscriptions.map(({ id, displayName, name }) => [id, displayName ?? name] as const),
        ]}
      />
      {subscription === undefined ? null : (
        <Select
          label="Resource group"
          hideLabel
          value={scope.toLowerCase()}
          onChange={show}
          options={[
            [subscription.toLowerCase(), "All resource groups"],
            ...(resourceGroups.value?.value ?? []).map(({ id, name }) => [id.toLowerCase(), name] as const),
          ]}
        />
      )}
    </div>
  );
}

const states = [
  ["NonCompliant", "Non-compliant"],
  ["Compliant", "Compliant"],
  ["Exempt", "Exempt"],
  ["Unknown", "Unknown"],
  ["", "All states"],
] as const;

function Resources({ scope, chosen, names }: { scope: string; chosen: string | undefined; names: Names }) {
  const [state, setState] = useState("NonCompliant");
  const [search, setSearch] = useState("");
  return (
    <div class="tabbed">
      <div class="fields">
        <Field
          label="Resource"
          hideLabel
          type="search"
          placeholder="Part of a resource's id"
          value={search}
          onInput={setSearch}
          wide
        />
        <Select label="State" hideLabel value={state} onChange={setState} options={states} />
      </div>
      <States
        title="Resources"
        query={statesOf(scope, filters({ state }))}
        names={names}
        chosen={chosen}
        base={["compliance", "resources", scope]}
        search={search}
        empty={{ title: "No state like that", text: "Choose another state or scope above." }}
      />
    </div>
  );
}

/** Since 24 hours before the suite's clock, which is read once: a moving window would never settle. */
function Changes({ scope, chosen, names }: { scope: string; chosen: string | undefined; names: Names }) {
  const { value } = useResource<{ epochMs: number }>("/_backlot/clock");
  if (!value) return null;
  const from = new Date(value.epochMs - 86_400_000).toISOString();
  return (
    <States
      title="Changed since yesterday"
      query={eventsOf(scope, from)}
      names={names}
      chosen={chosen}
      base={["compliance", "changes", scope]}
      empty={{
        title: "Nothing changed",
        text: "Write a resource, an assignment or an exemption, or advance the clock past the next scan.",
      }}
    />
  );
}
