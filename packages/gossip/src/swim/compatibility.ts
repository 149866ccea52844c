import type { NodeState } from '../wire/push-pull.ts';
import { readVersions, type VersionRange } from '../wire/vsn.ts';

/**
 * Why these nodes cannot be in one cluster: each live node must speak a version that every live node understands. Undefined:
 * they can.
 */
export function incompatibility(nodes: readonly Pick<NodeState, 'name' | 'state' | 'vsn'>[]): string | undefined {
  const live = nodes.flatMap(({ name, state, vsn }) => {
    const versions = state === 'alive' ? readVersions(vsn) : undefined;
    return versions === undefined ? [] : [{ name, ...versions }];
  });
  for (const which of ['protocol', 'delegate'] as const) {
    const min = Math.max(...live.map((each) => each[which].min));
    const max = Math.min(...live.map((each) => each[which].max));
    const odd = live.find((each) => !contains(each[which], min, max));
    if (odd !== undefined) {
      return `node ${odd.name} speaks version ${odd[which].current} of the ${which} protocol; all nodes understand ${min} to ${max}`;
    }
  }
  return undefined;
}

function contains({ current }: VersionRange, min: number, max: number): boolean {
  return min <= current && current <= max;
}
