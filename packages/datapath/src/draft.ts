import { kinds, type Namespace } from './kinds/table.ts';
import type { NetnsPath, State } from './state.ts';

/** A Namespace under construction. */
export type Draft = {
  readonly [Slot in keyof Namespace]: Namespace[Slot] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : never;
};

export function newNamespace(): Draft {
  return ofSlots(() => new Map()) as Draft;
}

/** A copy to change. The tables of each link (`fdb`, `neighbours`, `addresses`) are shared: replace them as a whole. */
export function draftOf(state: State): Map<NetnsPath, Draft> {
  return new Map(
    [...state].map(([netns, namespace]) => [
      netns,
      ofSlots((slot) => new Map<unknown, unknown>(namespace[slot])) as Draft,
    ]),
  );
}

/** A namespace with the value of `make` in each kind's slot. */
export function ofSlots(make: (slot: keyof Namespace) => ReadonlyMap<unknown, unknown>): Namespace {
  return Object.fromEntries(kinds.map(({ slot }) => [slot, make(slot)])) as unknown as Namespace;
}
