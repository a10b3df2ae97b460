/** Every reply of our own that is not a success: code, enhanced status code (RFC 3463) and text. */
const table = {
  badCredentials: { code: 535, text: "5.7.8 Authentication credentials invalid" },
  authRequired: { code: 530, text: "5.7.0 Authentication required" },
  tooManyRecipients: { code: 452, text: "4.5.3 Too many recipients" },
  overloaded: { code: 452, text: "4.3.1 Too many webhook deliveries are waiting" },
  storage: { code: 451, text: "4.3.0 The message could not be stored" },
} as const satisfies Record<string, { code: number; text: string }>;

/** An error that the session answers with. */
export class SmtpReply extends Error {
  readonly responseCode: number;
  constructor(code: number, text: string) {
    super(text);
    this.name = "SmtpReply";
    this.responseCode = code;
  }
}

export function reply(name: keyof typeof table): SmtpReply {
  return new SmtpReply(table[name].code, table[name].text);
}

export function tooBig(limit: number): SmtpReply {
  return new SmtpReply(552, `5.3.4 Message exceeds fixed maximum message size ${limit}`);
}

/** What a capturing server answers after DATA; clients read the id from it. */
export function queued(id: string): string {
  return `2.0.0 Ok: queued as ${id}`;
}

export function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
