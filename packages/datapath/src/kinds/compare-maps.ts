import { sliceSize } from '../sliced.ts';
import type { Sides } from './kind.ts';

/** The entries in which two maps differ; undefined: a pause. */
export function* compareMaps<Key, Value>(
  found: ReadonlyMap<Key, Value> = new Map(),
  wanted: ReadonlyMap<Key, Value> = new Map(),
  same: (found: Value, wanted: Value) => boolean = Object.is,
): Generator<Sides<Key, Value> | undefined, void> {
  let compared = 0;
  for (const [key, intended] of wanted) {
    if (++compared % sliceSize === 0) yield undefined;
    const actual = found.get(key);
    if (actual === undefined || !same(actual, intended)) yield { key, actual, intended };
  }
  for (const [key, actual] of found) {
    if (++compared % sliceSize === 0) yield undefined;
    if (!wanted.has(key)) yield { key, actual, intended: undefined };
  }
}

/** The key of an object that belongs to a link: the link's name, and the object's key among those of the link. */
export interface OnLink<Key> {
  readonly dev: string;
  readonly key: Key;
}

/** As `compareMaps`, for objects that belong to links. */
export function* compareOnLinks<Key, Value>(
  found: ReadonlyMap<string, ReadonlyMap<Key, Value>> = new Map(),
  wanted: ReadonlyMap<string, ReadonlyMap<Key, Value>> = new Map(),
  same?: (found: Value, wanted: Value) => boolean,
): Generator<Sides<OnLink<Key>, Value> | undefined, void> {
  for (const dev of new Set([...wanted.keys(), ...found.keys()])) {
    for (const each of compareMaps(found.get(dev), wanted.get(dev), same)) {
      // Property by property, without a spread: 20,000 entries pass here.
      yield each && { key: { dev, key: each.key }, actual: each.actual, intended: each.intended };
    }
  }
}
