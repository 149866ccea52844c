import { kinds, type Namespace } from './kinds/table.ts';
import type { NetnsPath, State } from './state.ts';

/** A Namespace while it is being put together. */
export type Draft = {
  readonly [Slot in keyof Namespace]: Namespace[Slot] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : never;
};

export function newNamespace(): Draft {
  return ofSlots(() => new Map()) as Draft;
}

/** A copy to change. The tables of a link (`fdb`, `neighbours`, `addresses`) are shared, to be replaced whole. */
export function draftOf(state: State): Map<NetnsPath, Draft> {
  return new Map(
    [...state].map(([netns, namespace]) => [
      netns,
      ofSlots((slot) => new Map<unknown, unknown>(namespace[slot])) as Draft,
    ]),
  );
}

/** With what `make` gives for each kind. */
export function ofSlots(make: (slot: keyof Namespace) => ReadonlyMap<unknown, unknown>): Namespace {
  return Object.fromEntries(kinds.map(({ slot }) => [slot, make(slot)])) as unknown as Namespace;
}
