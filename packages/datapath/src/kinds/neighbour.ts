import { family, type Ip, type Mac } from '@causeway/model';
import { NETLINK_ROUTE } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import { RTNLGRP_NEIGH } from '../wire/constants.ts';
import { deleteNeighbour, dumpNeighbours, getNeighbour, readNeighbour, setNeighbour } from '../wire/neighbour.ts';
import { ask } from './ask.ts';
import { compareOnLinks, type OnLink } from './compare-maps.ts';
import { ensure } from './ensure.ts';
import type { Kind, Reading } from './kind.ts';
import { describeDifference, listOnLinks, tool } from './printing.ts';

export type NeighbourOp =
  | {
      readonly op: 'neighbour.set';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly ip: Ip;
      readonly mac: Mac;
    }
  | { readonly op: 'neighbour.delete'; readonly netns: NetnsPath; readonly dev: string; readonly ip: Ip };

/** Neighbour entries that are NUD_PERMANENT. There can be thousands. */
export const neighbour: Kind<'neighbour', OnLink<Ip>, Mac, NeighbourOp> = {
  name: 'neighbour',
  slot: 'neighbours',
  ops: ['neighbour.set', 'neighbour.delete'],
  stage: 'entry',
  compare: (found, desired) => compareOnLinks(found?.neighbours, desired?.neighbours),
  isOurs: isOurLink,
  describe: (difference) => ({ key: `${difference.key.dev} ${difference.key.key}`, ...describeDifference(difference) }),
  list: ({ neighbours }) =>
    listOnLinks(neighbours, (dev, of) => [...of].map(([ip, mac]) => `neighbour ${dev} ${ip} ${mac}`)),

  steps(netns, { key: { dev, key: ip }, desired }) {
    return desired === undefined
      ? [['delete neighbour', { op: 'neighbour.delete', netns, dev, ip }]]
      : [['set neighbour', { op: 'neighbour.set', netns, dev, ip, mac: desired }]];
  },
  print(op) {
    const ip = tool('ip', op.netns);
    return op.op === 'neighbour.set'
      ? `${ip} neighbour replace ${op.ip} lladdr ${op.mac} dev ${op.dev} nud permanent`
      : `${ip} neighbour delete ${op.ip} dev ${op.dev}`;
  },
  device: ({ dev }) => dev,
  /** Restores no peer while the link exists: the last agent may have removed it, and its address may be another's by now. */
  additive: (op, found) => (op.op === 'neighbour.set' && found?.links.has(op.dev) !== true ? op : undefined),

  follow({ neighbours }, dev, what) {
    const of = neighbours.get(dev);
    if (what === 'gone' || what === 'new MAC') neighbours.delete(dev);
    else if (of !== undefined && what === 'no IPv4') neighbours.set(dev, without(of, 4));
    else if (of !== undefined && what === 'no IPv6') neighbours.set(dev, without(of, 6));
  },

  real: {
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_NEIGH],
    read: readNeighbours,
    find: ({ socket }, index, ip: Ip) =>
      ask(socket(NETLINK_ROUTE), (to) => getNeighbour(to, index, ip), readNeighbour)?.mac,
    batch: {
      split: (op) => [op],
      encode(to, index, op) {
        if (op.op === 'neighbour.set') setNeighbour(to, index, op.ip, op.mac);
        else deleteNeighbour(to, index, op.ip);
      },
      written: (index, op) => ({ index, key: op.ip, state: op.op === 'neighbour.set' ? op.mac : 'absent' }),
    },
  },
};

function without(of: ReadonlyMap<Ip, Mac>, excluded: 4 | 6): ReadonlyMap<Ip, Mac> {
  return new Map([...of].filter(([ip]) => family(ip) !== excluded));
}

function readNeighbours({ links, socket }: Reading): Promise<ReadonlyMap<string, ReadonlyMap<Ip, Mac>>> {
  if (links.size === 0) return Promise.resolve(new Map());
  return socket(NETLINK_ROUTE).dump(
    dumpNeighbours,
    () => new Map<string, Map<Ip, Mac>>(),
    (found, message) => {
      const record = readNeighbour(message);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link !== undefined) ensure(found, link.name, () => new Map()).set(record.ip, record.mac);
    },
  );
}
