/** The existing name that was most likely meant; undefined: no name is near. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const lowerCase = word.toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const distance = distanceOf(lowerCase, name.toLowerCase());
    if (distance > mostEdits(lowerCase, name)) continue;
    if (best === undefined || distance < best.distance || (distance === best.distance && name < best.name))
      best = { name, distance };
  }
  return best?.name;
}

/** A third of the letters: "blu" is blue and "netwrok" network, but "web" is not "db". */
function mostEdits(word: string, name: string): number {
  return Math.max(1, Math.floor(Math.max(word.length, name.length) / 3));
}

/** Longer words are ids, or not names of this product. They are not compared. */
const longest = 128;

/** Number of letters to insert, delete, replace, or swap with their neighbour (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  if (a.length > longest || b.length > longest) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + (same ? 0 : 1),
          swap ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], i: number): number {
  return row[i] ?? Number.POSITIVE_INFINITY;
}
