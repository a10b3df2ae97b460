/** New work was refused because a queue is full; nothing of it was stored. */
export class Overloaded extends Error {
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.name = "Overloaded";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
