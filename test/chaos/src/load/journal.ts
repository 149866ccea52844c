import type { Operation } from '../history/operation.ts';
import type { Life } from '../record/lives.ts';

/** What a worker does: endpoints are claimed and released, networks created and deleted. */
export const acts = ['claim', 'release', 'create', 'delete'] as const;
export type Act = (typeof acts)[number];

/** One call of a worker, recorded when the call is over. Times are those of `now`. */
export interface Entry {
  readonly act: Act;
  /** Name of the endpoint or network. It is unique in a run, so it also identifies the call that makes it. */
  readonly name: string;
  /** What the call asked for by name; absent properties were left to the cluster. */
  readonly asked?: Asked;
  readonly call: number;
  readonly end: number;
  readonly outcome: Outcome;
}

export interface Asked {
  /** Name of the network of the endpoint. */
  readonly network?: string;
  readonly addresses?: readonly string[];
  readonly vni?: number;
  readonly subnets?: readonly string[];
}

export type Outcome =
  /** `held`: what was claimed or is released: "network ip", "vni 4096", "subnet 10.0.0.0/24". */
  | { readonly kind: 'done'; readonly held: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string }
  /** The caller gave up. */
  | { readonly kind: 'unknown'; readonly code: string };

export function makes({ act }: Pick<Entry, 'act'>): boolean {
  return act === 'claim' || act === 'create';
}

export function kindOf({ act }: Pick<Entry, 'act'>): Life['kind'] {
  return act === 'claim' || act === 'release' ? 'endpoint' : 'network';
}

/** Name of a life, or of the subject of a call. */
export function subjectOf(of: Pick<Entry, 'act' | 'name'> | Pick<Life, 'kind' | 'name'>): string {
  return `${'act' in of ? kindOf(of) : of.kind} ${of.name}`;
}

export function livesBySubject(lives: readonly Life[]): ReadonlyMap<string, readonly Life[]> {
  const all = new Map<string, Life[]>();
  for (const life of lives) {
    const subject = subjectOf(life);
    const same = all.get(subject) ?? [];
    same.push(life);
    all.set(subject, same);
  }
  return all;
}

/**
 * The journal as operations on addresses, VNIs and subnets. For a call without an answer, the store's records under its name
 * decide: if there was never such an object, nothing happened. A refused claim took nothing and says nothing about a single
 * address (`refusals` checks it): the address may have been in a claim that was under way, or cooling.
 */
export function operationsOf(journal: readonly Entry[], lives: readonly Life[]): readonly Operation[] {
  const bySubject = livesBySubject(lives);
  return journal.flatMap((entry) => {
    const recorded = (bySubject.get(subjectOf(entry)) ?? []).flatMap(({ held }) => held);
    return operationsOfCall(entry, [...new Set(recorded)]);
  });
}

function operationsOfCall(entry: Entry, recorded: readonly string[]): readonly Operation[] {
  const { name: owner, call, end, outcome } = entry;
  const kind = makes(entry) ? 'claim' : 'release';
  switch (outcome.kind) {
    case 'done':
      return outcome.held.map((key) => ({ key, act: { kind, owner }, call, end }));
    case 'unknown':
      return recorded.map((key) => ({ key, act: { kind, owner }, call, end: null }));
    case 'refused':
      // Only the refusal of an absent object says which owner the address did not have.
      return outcome.code === 'endpoint-unknown' || (outcome.code === 'network-unknown' && entry.act === 'delete')
        ? recorded.map((key) => ({ key, act: { kind: 'absent', owner }, call, end }))
        : [];
  }
}

/** Reads of all keys at one moment when the store was at rest. */
export function readsOf(keys: Iterable<string>, living: readonly Life[], at: number): readonly Operation[] {
  const owners = new Map(living.flatMap(({ held, name }) => held.map((key) => [key, name] as const)));
  return [...new Set(keys)].map((key) => {
    return { key, act: { kind: 'read', owner: owners.get(key) ?? null }, call: at, end: at };
  });
}
