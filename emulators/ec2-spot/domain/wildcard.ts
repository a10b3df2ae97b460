/** Whether `text` matches a filter value in which `*` stands for any run of characters and `?` for one. Case-sensitive. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let resume = 0;
  while (place < text.length) {
    const wanted = pattern[at];
    // A backslash takes the special meaning from what follows.
    const literal = wanted === "\\" && at + 1 < pattern.length;
    if (wanted === "*" && !literal) {
      star = at;
      resume = place;
      at += 1;
    } else if (
      wanted !== undefined &&
      ((wanted === "?" && !literal) || (literal ? pattern[at + 1] : wanted) === text[place])
    ) {
      at += literal ? 2 : 1;
      place += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      place = resume;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

/** The values of one filter are alternatives. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, text));
}
