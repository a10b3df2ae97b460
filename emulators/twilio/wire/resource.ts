/** From what a resource keeps to what is shown of it: exactly the members that its kind names, in that order. */

export type Shown = Readonly<Record<string, unknown>>;

/**
 * `names` are the wire's (`sms_url`). A member comes from `view`, or else from the parameter of the same name (`SmsUrl`), so
 * that nothing that is kept for the emulator's own use leaves the process.
 */
export function shown(names: readonly string[], data: object, view: Shown): Shown {
  const kept = new Map<string, unknown>(Object.entries(data));
  const members: Record<string, unknown> = {};
  for (const name of names) {
    const value = name in view ? view[name] : kept.get(parameterName(name));
    members[name] = value === undefined ? null : value;
  }
  return members;
}

/** `sms_url` is sent as `SmsUrl`. */
function parameterName(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
