/** What somebody who wrote `word` probably meant: the one known word that begins with it, or that is two slips away at most. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const longer = word.length < 3 ? [] : known.filter((one) => one.startsWith(word));
  if (longer.length === 1) return longer[0];
  return misspelt(word, known);
}

/** The known word that differs from `word` by one or two letters; of a short word, one. */
export function misspelt(word: string, known: readonly string[]): string | undefined {
  const most = word.length < 5 ? 1 : 2;
  const near = known.map((one) => [slips(word, one), one] as const).filter(([distance]) => distance <= most);
  return near.sort(([left], [right]) => left - right)[0]?.[1];
}

/** Letters to add, leave out, change or swap with the next (optimal string alignment). */
function slips(left: string, right: string): number {
  let before: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      line.push(
        Math.min(
          (above[column] ?? 0) + 1,
          (line[column - 1] ?? 0) + 1,
          (above[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, above] = [above, line];
  }
  return above[right.length] ?? 0;
}
