import { compareMaps } from './compare-maps.ts';
import { by, isSame, type Same } from './equal.ts';
import type { Comparison } from './kind.ts';
import { type BridgePort, type LinkOp, portOf } from './link/link.ts';
import { printPort } from './link/print.ts';
import { describeDifference } from './printing.ts';
import type { Namespace } from './table.ts';

const same: Same<BridgePort> = { master: by('master'), learning: by('learning'), flood: by('flood') };

/** Links as ports of bridges. Compared after the links themselves are as desired. */
export const port: Comparison<'port', string, BridgePort, LinkOp> = {
  name: 'port',
  stage: 'on link',
  *compare(found, desired) {
    for (const each of compareMaps(portsOf(found), portsOf(desired), samePort)) {
      if (each === undefined || (each.desired !== undefined && found?.links.has(each.key) === true)) yield each;
    }
  },
  /** Removes no port: a port that is not desired is part of a link that is not desired, or not desired in this form. */
  isOurs: () => false,
  describe: (difference) => ({ key: difference.key, ...describeDifference(difference, printPort) }),

  steps(netns, { key: name, desired }) {
    if (desired === undefined) return [];
    return [['set port', { op: 'link.set', netns, name, change: { bridgePort: desired } }]];
  },
};

export function samePort(a: BridgePort, b: BridgePort): boolean {
  return isSame(same, a, b);
}

function portsOf(namespace: Namespace | undefined): Map<string, BridgePort> {
  return new Map(
    [...(namespace?.links.values() ?? [])].flatMap((link) => {
      const of = portOf(link);
      return of === undefined ? [] : [[link.name, of] as const];
    }),
  );
}
