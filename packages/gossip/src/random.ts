/** Uniform numbers in [0, 1): for what must differ between nodes, never for keys or nonces. */
export interface Random {
  float(): number;
}

/** An integer from 0 to `count` - 1. */
export function below(random: Random, count: number): number {
  return Math.floor(random.float() * count);
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle<Item>(items: Item[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    const item = items[i] as Item;
    items[i] = items[j] as Item;
    items[j] = item;
  }
}

/** At most `count` different items that are eligible, each choice equally likely. Looks at no more items than needed. */
export function sample<Item>(
  items: readonly Item[],
  count: number,
  random: Random,
  isEligible: (item: Item) => boolean,
): Item[] {
  const chosen: Item[] = [];
  // A shuffle of which only the beginning is made: `moved` has what a swap put at an index.
  const moved = new Map<number, number>();
  for (let i = 0; i < items.length && chosen.length < count; i++) {
    const j = i + below(random, items.length - i);
    const index = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    const item = items[index] as Item;
    if (isEligible(item)) chosen.push(item);
  }
  return chosen;
}
