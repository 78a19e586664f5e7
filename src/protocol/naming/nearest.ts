/** The candidate a person probably meant, or null when none is close: at most one edit in three characters. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const wanted = word.toLowerCase().slice(0, 64);
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = edits(wanted, candidate.toLowerCase(), least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** At most `most` candidates that a person may have meant, the nearest first; those that hold the word come before all others. */
export function nearestOf(word: string, candidates: readonly string[], most: number): string[] {
  const wanted = word.toLowerCase().slice(0, 64);
  const reach = Math.max(1, Math.floor(wanted.length / 3));
  return [...new Set(candidates)]
    .map((candidate) => {
      const folded = candidate.toLowerCase();
      return { candidate, away: folded.includes(wanted) ? 0 : edits(wanted, folded, reach + 1) };
    })
    .filter(({ away }) => away <= reach)
    .sort((a, b) => a.away - b.away)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** Damerau-Levenshtein distance (optimal string alignment): a swap of neighbours is one edit. From `enough` on it is not counted further. */
function edits(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let closest = 0;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const last = closest;
    closest = i;
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      if (cost < closest) closest = cost;
    }
    // A swap goes by the row before: two rows that are too far leave nothing near.
    if (closest >= enough && last >= enough) return enough;
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
