import type { Operation } from '../history/operation.ts';
import { type EndpointRecord, keysOf } from '../record/audit.ts';

/** One call of a worker, written down when it is over. Times are those of `now`. */
export interface Entry {
  readonly act: 'claim' | 'release';
  /** Of the endpoint: unique in a run, so it also names the claim. */
  readonly name: string;
  readonly call: number;
  readonly end: number;
  readonly outcome: Outcome;
}

export type Outcome =
  /** `held`: "network ip" of what was claimed, or is released. */
  | { readonly kind: 'done'; readonly held: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string }
  /** The caller gave up. */
  | { readonly kind: 'unknown'; readonly code: string };

/** The only refusals that other callers explain. */
const explained: Readonly<Record<Entry['act'], readonly string[]>> = {
  claim: ['address-in-use', 'pool-exhausted'],
  release: ['endpoint-unknown'],
};

/** Answers that no accident explains, a line each. */
export function unexplained(journal: readonly Entry[]): readonly string[] {
  return journal.flatMap(({ act, name, outcome }) => {
    if (outcome.kind !== 'refused' || explained[act].includes(outcome.code)) return [];
    return [`${act} of ${name} was answered ${outcome.code}`];
  });
}

/**
 * The journal as operations on addresses. A claim whose answer nobody heard is known by what the store recorded under its
 * name: where there was never such an endpoint, nothing happened. A refused claim took nothing and says nothing of one
 * address: it may have met one that was being claimed, or that cools.
 */
export function operationsOf(
  journal: readonly Entry[],
  born: ReadonlyMap<string, readonly EndpointRecord[]>,
): readonly Operation[] {
  return journal.flatMap((entry) =>
    operationsOfCall(entry, [...new Set((born.get(entry.name) ?? []).flatMap(keysOf))]),
  );
}

function operationsOfCall(entry: Entry, recorded: readonly string[]): readonly Operation[] {
  const { act, name: owner, call, end, outcome } = entry;
  switch (outcome.kind) {
    case 'done':
      return outcome.held.map((key) => ({ key, act: { kind: act, owner }, call, end }));
    case 'unknown':
      return recorded.map((key) => ({ key, act: { kind: act, owner }, call, end: null }));
    case 'refused':
      return act === 'claim' ? [] : recorded.map((key) => ({ key, act: { kind: 'absent', owner }, call, end }));
  }
}

/** Reads of every address at one moment at which the store was at rest. */
export function readsOf(
  keys: Iterable<string>,
  endpoints: readonly EndpointRecord[],
  at: number,
): readonly Operation[] {
  const owners = new Map(endpoints.flatMap((record) => keysOf(record).map((key) => [key, record.name] as const)));
  return [...new Set(keys)].map((key) => {
    return { key, act: { kind: 'read', owner: owners.get(key) ?? null }, call: at, end: at };
  });
}
