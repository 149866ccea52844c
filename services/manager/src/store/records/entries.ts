/** Returns the value under the key, and makes the value if it is absent. */
export function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Takes something out of one entry, and drops the entry if it is empty then. */
export function prune<Key, Value extends { readonly size: number }>(
  map: Map<Key, Value>,
  key: Key,
  take: (value: Value) => void,
): void {
  const found = map.get(key);
  if (found === undefined) return;
  take(found);
  if (found.size === 0) map.delete(key);
}
