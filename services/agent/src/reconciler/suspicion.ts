import { hostEnd, type NetnsPath, overlayNetns, type State } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** Where a kernel may differ: nowhere, in a network's own namespace and behind these links of it, or anywhere. */
export type Suspicion = 'nothing' | 'everything' | ReadonlySet<string>;

export function both(a: Suspicion, b: Suspicion): Suspicion {
  if (a === 'nothing' || b === 'everything') return b;
  if (b === 'nothing' || a === 'everything') return a;
  return new Set([...a, ...b]);
}

/**
 * What of the wanted state must be looked at. A container is told of by the end of its pair that is outside; of what only
 * changes inside it nobody tells, and the sweep looks.
 */
export function suspected(
  wanted: State,
  networkId: NetworkId,
  sandboxes: readonly Sandbox[],
  links: ReadonlySet<string>,
): State {
  const places = new Set<NetnsPath>([overlayNetns(networkId)]);
  for (const { endpoint, netns } of sandboxes) if (links.has(hostEnd(endpoint.id))) places.add(netns);
  return new Map([...wanted].filter(([netns]) => places.has(netns)));
}
