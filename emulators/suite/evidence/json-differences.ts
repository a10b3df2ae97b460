/** What differs between two JSON values, leaf by leaf. */

/** `counts.messages: 3 -> 4`, one for every leaf that differs. */
export function jsonDifferences(left: unknown, right: unknown, at: string): readonly string[] {
  if (typeof left === "object" && left !== null && typeof right === "object" && right !== null) {
    const [one, two] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
    return [...new Set([...one.keys(), ...two.keys()])].flatMap((name) =>
      jsonDifferences(one.get(name), two.get(name), at === "" ? name : `${at}.${name}`),
    );
  }
  return left === right ? [] : [`${at}: ${short(left)} -> ${short(right)}`];
}

export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}
