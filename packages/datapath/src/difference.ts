import { compare, compareNamespaces, type Mismatch } from './compare.ts';
import { reachablePart } from './reachable.ts';
import { finish, type Sliced } from './sliced.ts';
import type { NetnsPath, State } from './state.ts';

/** A difference between the kernel and the desired state, in words: what `causeway verify` prints. */
export interface Difference {
  readonly netns: NetnsPath;
  /** Name of a kind ("route") or of a part of a kind ("port"); "netns"; "driver": see the agent. */
  readonly kind: string;
  /** Names the object within its kind and namespace: "vxlan0 02:42:0a:42:00:09". */
  readonly key: string;
  /** "absent": the kernel has no such object. */
  readonly actual: string;
  /** "absent": there should be no such object. */
  readonly desired: string;
}

/** All differences that `plan` would repair, and the containers' namespaces that are missing. */
export function differences(actual: State, desired: State): Difference[] {
  return finish(differencesSliced(actual, desired));
}

export function* differencesSliced(actual: State, desired: State): Sliced<Difference[]> {
  const { state, missing } = reachablePart(actual, desired);
  const namespaces = compareNamespaces(actual, state);
  const found = [
    ...[...missing, ...namespaces.missing].map((netns) => ofNamespace(netns, 'absent', 'present')),
    ...namespaces.extra.map((netns) => ofNamespace(netns, 'present', 'absent')),
  ];
  for (const mismatch of compare(actual, state)) {
    if (mismatch === undefined) yield;
    else found.push(describe(mismatch));
  }
  return found;
}

function describe({ netns, comparison, difference }: Mismatch): Difference {
  return { netns, kind: comparison.name, ...comparison.describe(difference) };
}

function ofNamespace(netns: NetnsPath, actual: string, desired: string): Difference {
  return { netns, kind: 'netns', key: netns, actual, desired };
}
