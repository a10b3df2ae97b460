/** Every operation of the suite's control API: what it shares with the emulators, and what is its own. */
import * as z from "zod";
import { harType } from "../kernel/control-journal.ts";
import { commonOperations } from "../kernel/control-operations.ts";
import { UrlProbe } from "../kernel/control-probe.ts";
import { LimitsInput } from "../kernel/limits-input.ts";
import type { Operation } from "../kernel/openapi.ts";
import { archiveType, RecordingInput } from "./control-evidence.ts";
import { SuiteJournalQuery } from "./control-journal.ts";
import { RunInput } from "./control-scenarios.ts";

const toOne = { emulator: z.string().optional() };

export const suiteOperations: readonly Operation[] = [
  ...commonOperations,
  { method: "get", path: "/_backlot/services", summary: "The emulators and where they are" },
  {
    method: "get",
    path: "/_backlot/journal",
    summary: "What happened everywhere, by virtual time",
    query: SuiteJournalQuery,
  },
  {
    method: "get",
    path: "/_backlot/journal.har",
    summary: "The requests of all journals as an HTTP archive 1.2",
    query: SuiteJournalQuery,
    gives: harType,
  },
  {
    method: "post",
    path: "/_backlot/webhooks/probe",
    summary: "Sends the rejection matrix to a receiver",
    body: UrlProbe.extend(toOne),
  },
  {
    method: "put",
    path: "/_backlot/limits",
    summary: "Sets rate limits everywhere, or at one emulator",
    body: LimitsInput.extend(toOne),
  },
  { method: "get", path: "/_backlot/evidence", summary: "Whether evidence is recorded, and the last pack" },
  {
    method: "post",
    path: "/_backlot/evidence/start",
    summary: "Begins to record evidence",
    body: RecordingInput,
    status: 201,
  },
  { method: "post", path: "/_backlot/evidence/stop", summary: "Makes a pack of what happened since the start" },
  {
    method: "get",
    path: "/_backlot/evidence/pack.tar",
    summary: "The last pack as an archive, without volatile/",
    gives: archiveType,
  },
  { method: "get", path: "/_backlot/evidence/packs", summary: "The packs that are held, newest first" },
  {
    method: "get",
    path: "/_backlot/evidence/packs/{id}/pack.tar",
    summary: "A pack as an archive, without volatile/",
    gives: archiveType,
  },
  { method: "get", path: "/_backlot/evidence/packs/{id}/verdict", summary: "Whether a pack is whole, and what is not" },
  {
    method: "delete",
    path: "/_backlot/evidence/packs/{id}",
    summary: "Lets go of a pack",
    status: 204,
    gives: null,
  },
  { method: "get", path: "/_backlot/scenarios", summary: "The scenarios that can be run" },
  {
    method: "post",
    path: "/_backlot/scenarios/{name}/run",
    summary: "Plays a scenario on a suite of its own",
    body: RunInput,
    status: 202,
  },
  { method: "get", path: "/_backlot/scenarios/runs", summary: "The runs, newest first, and how far each has come" },
  { method: "get", path: "/_backlot/scenarios/runs/{id}", summary: "A run with its steps" },
  {
    method: "post",
    path: "/_backlot/scenarios/runs/{id}/stop",
    summary: "Ends a run after the step under way",
    status: 202,
  },
];
