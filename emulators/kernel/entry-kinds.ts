/** What a journal tells of; for its readers in browsers too. */
export const entryKinds = [
  "request",
  "session",
  "change",
  "timer",
  "delivery",
  "egress",
  "control",
  "fault",
  "incident",
] as const;
export type EntryKind = (typeof entryKinds)[number];
