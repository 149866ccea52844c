import { type Ip, isGroup, type Mac } from '@causeway/model';
import { NETLINK_ROUTE } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import { RTNLGRP_NEIGH } from '../wire/constants.ts';
import { deleteFdb, dumpFdb, getFdb, readFdb, setFdb } from '../wire/neighbour.ts';
import { ask } from './ask.ts';
import { compareOnLinks, type OnLink } from './compare-maps.ts';
import { ensure } from './ensure.ts';
import type { Kind, Reading } from './kind.ts';
import { describeDifference, listOnLinks, tool } from './printing.ts';

/**
 * Where the bridge or vxlan device sends frames for a MAC: out of the port itself ("port", static, `master`),
 * or to a VTEP (`self dst`). If other programs have written to the kernel, a group MAC may have several VTEPs: a list.
 */
export type FdbTarget = 'port' | Ip | readonly Ip[];

/** fdb.delete with a list of targets deletes each of them; "port" stands for `master`, an address for `self`. */
export type FdbOp =
  | {
      readonly op: 'fdb.set';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly mac: Mac;
      readonly target: 'port' | Ip;
    }
  | {
      readonly op: 'fdb.delete';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly mac: Mac;
      readonly target: FdbTarget;
    };

/** Static entries of bridge ports, tunnel entries of vxlan devices. There can be thousands. */
export const fdb: Kind<'fdb', OnLink<Mac>, FdbTarget, FdbOp> = {
  name: 'fdb',
  slot: 'fdb',
  ops: ['fdb.set', 'fdb.delete'],
  stage: 'entry',
  compare: (found, desired) => compareOnLinks(found?.fdb, desired?.fdb, sameTarget),
  isOurs: isOurLink,
  describe: (difference) => ({
    key: `${difference.key.dev} ${difference.key.key}`,
    ...describeDifference(difference, (target) => targetsOf(target).join(' ')),
  }),
  list: ({ fdb: entries }) =>
    listOnLinks(entries, (dev, of) =>
      [...of].map(([mac, target]) => `fdb ${dev} ${mac} ${targetsOf(target).join(' ')}`),
    ),

  steps(netns, { key: { dev, key: mac }, actual, desired }) {
    if (typeof desired === 'string') return [['set FDB entry', { op: 'fdb.set', netns, dev, mac, target: desired }]];
    return actual === undefined ? [] : [['delete FDB entry', { op: 'fdb.delete', netns, dev, mac, target: actual }]];
  },
  print(op) {
    const bridge = tool('bridge', op.netns);
    if (op.op === 'fdb.set') {
      const target = op.target === 'port' ? 'master static' : `self dst ${op.target}`;
      return `${bridge} fdb replace ${op.mac} dev ${op.dev} ${target}`;
    }
    return targetsOf(op.target)
      .map((target) => (target === 'port' ? 'master' : `self dst ${target}`))
      .map((target) => `${bridge} fdb delete ${op.mac} dev ${op.dev} ${target}`)
      .join(' && ');
  },
  device: ({ dev }) => dev,
  /** Restores no peer while the vxlan device exists: see `neighbour`. */
  additive(op, found) {
    if (op.op === 'fdb.delete') return undefined;
    const isThere = op.target === 'port' ? found?.fdb.get(op.dev)?.has(op.mac) : found?.links.has(op.dev);
    return isThere === true ? undefined : op;
  },

  /** The entries of a vxlan device last until the device is gone; a port's entries are removed when it leaves its bridge. */
  follow({ fdb: entries, links }, dev, what) {
    if (what === 'gone' || (what === 'left bridge' && links.get(dev)?.kind !== 'vxlan')) entries.delete(dev);
  },

  real: {
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_NEIGH],
    read: readEntries,
    find: findEntry,
    batch: {
      split: (op) => (typeof op.target === 'string' ? [op] : op.target.map((target) => ({ ...op, target }))),
      encode(to, index, { op, mac, target }) {
        if (typeof target === 'string') (op === 'fdb.set' ? setFdb : deleteFdb)(to, index, mac, target);
      },
      /** Several VTEPs of a group MAC are several entries with one key: for these, every notification counts as a change. */
      written(index, { op, mac, target }) {
        if (typeof target !== 'string' || isGroup(mac)) return undefined;
        return { index, key: mac, state: op === 'fdb.set' ? target : 'absent' };
      },
    },
    // A `master` entry of a link that is not a port, or is no longer a port.
    absent: ['EOPNOTSUPP'],
  },
};

/** The order of several VTEPs does not count: it is the kernel's. */
export function sameTarget(a: FdbTarget, b: FdbTarget): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  const [some, others] = [new Set(targetsOf(a)), new Set(targetsOf(b))];
  return some.size === others.size && [...some].every((target) => others.has(target));
}

function targetsOf(target: FdbTarget): readonly string[] {
  return typeof target === 'string' ? [target] : target;
}

function readEntries({ links, socket }: Reading): Promise<ReadonlyMap<string, ReadonlyMap<Mac, FdbTarget>>> {
  const hasFdb = [...links.values()].some(({ kind, port }) => kind === 'vxlan' || port !== undefined);
  if (!hasFdb) return Promise.resolve(new Map());
  const isVxlan = (index: number): boolean => links.get(index)?.kind === 'vxlan';
  return socket(NETLINK_ROUTE).dump(
    dumpFdb,
    () => new Map<string, Map<Mac, FdbTarget>>(),
    (found, message) => {
      const record = readFdb(message, isVxlan);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link === undefined) return;
      const targets = ensure(found, link.name, () => new Map<Mac, FdbTarget>());
      targets.set(record.mac, also(targets.get(record.mac), record.target));
    },
  );
}

/** Adds a target to what is known for a MAC: several VTEPs make a list. */
function also(known: FdbTarget | undefined, target: 'port' | Ip): FdbTarget {
  if (known === undefined || known === 'port' || target === 'port') return target;
  return [...(typeof known === 'string' ? [known] : known), target];
}

/** The tunnel entry, if the device has tunnel entries; for any other device the entry of its bridge. */
function findEntry({ socket }: Pick<Reading, 'socket'>, index: number, mac: Mac): FdbTarget | undefined {
  const to = socket(NETLINK_ROUTE);
  let hasTunnels = true;
  const tunnel = ask(
    to,
    (message) => getFdb(message, index, mac, 'self'),
    (message) => readFdb(message, () => true),
    (errno) => {
      hasTunnels = errno !== 'EOPNOTSUPP';
    },
  );
  if (hasTunnels) return tunnel?.target;
  const port = ask(
    to,
    (message) => getFdb(message, index, mac, 'master'),
    (message) => readFdb(message, () => false),
  );
  return port?.index === index ? port.target : undefined;
}
