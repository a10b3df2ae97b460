import type { Parameters, Recipient } from "./domain/message.ts";

/** A message without its bytes, as the table has it. */
export interface SummaryRow {
  id: string;
  arrival: number;
  received_at: number;
  truncated: number;
  mail_from: string;
  parameters: string | null;
  recipients: string;
  helo: string;
  mechanism: string | null;
  username: string | null;
  secure: number;
  size: number;
  inbox: string | null;
}

export const summaryColumns =
  "id, arrival, received_at, truncated, mail_from, parameters, recipients, helo, mechanism, username, secure, size, inbox";

export function parametersText(parameters: Parameters | undefined): string | null {
  return parameters === undefined ? null : JSON.stringify(parameters);
}

export function parametersFrom(text: string | null): Parameters | undefined {
  return text === null ? undefined : (JSON.parse(text) as Parameters);
}

/** Read and written whole with their message: in a table of their own each would cost intake more than the message does. */
export function recipientsText(recipients: readonly Recipient[]): string {
  return JSON.stringify(recipients);
}

export function recipientsFrom(text: string): readonly Recipient[] {
  return JSON.parse(text) as readonly Recipient[];
}
