/** A query that cannot be read or answered, and where in it. */
export class KqlProblem extends Error {
  readonly kind: "ParserFailure" | "InvalidQuery";
  /** Offset in the query's text. */
  readonly at: number;
  readonly token: string;
  constructor(kind: KqlProblem["kind"], at: number, message: string, token = "") {
    super(message);
    this.name = "KqlProblem";
    this.kind = kind;
    this.at = at;
    this.token = token;
  }
}
