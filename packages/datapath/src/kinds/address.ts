import { familyOf, type InterfaceAddress } from '@causeway/model';
import { type MessageReader, NETLINK_ROUTE } from '@causeway/netlink';
import type { Draft } from '../draft.ts';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import { addAddress, deleteAddress, dumpAddresses, readAddress } from '../wire/address.ts';
import { RTM_DELADDR, RTM_NEWADDR, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR } from '../wire/constants.ts';
import { compareOnLinks, type OnLink } from './compare-maps.ts';
import { ensure } from './ensure.ts';
import type { Kind, Reading } from './kind.ts';
import { describeDifference, listOnLinks, tool } from './printing.ts';

/** Deleting the last IPv4 address of a link also removes the link's IPv4 neighbours and routes. */
export type AddressOp = {
  readonly op: 'address.add' | 'address.delete';
  readonly netns: NetnsPath;
  readonly dev: string;
  readonly address: InterfaceAddress;
};

/** Addresses of links. Addresses that the kernel assigns by itself (IPv6 of link scope) are not found. */
export const address: Kind<'address', OnLink<InterfaceAddress>, 'present', AddressOp> = {
  name: 'address',
  slot: 'addresses',
  ops: ['address.add', 'address.delete'],
  stage: 'on link',
  compare: (found, desired) => compareOnLinks(present(found?.addresses), present(desired?.addresses)),
  isOurs: isOurLink,
  describe: (difference) => ({ key: `${difference.key.dev} ${difference.key.key}`, ...describeDifference(difference) }),
  list: ({ addresses }) => listOnLinks(addresses, (dev, of) => [...of].map((each) => `address ${dev} ${each}`)),

  steps(netns, { key: { dev, key }, desired }) {
    return desired === undefined
      ? [['delete address', { op: 'address.delete', netns, dev, address: key }]]
      : [['add address', { op: 'address.add', netns, dev, address: key }]];
  },
  print(op) {
    // The managers make addresses unique, so duplicate address detection would only delay the container by a second.
    const nodad = op.op === 'address.add' && familyOf(op.address) === 6 ? ' nodad' : '';
    const verb = op.op === 'address.add' ? 'add' : 'delete';
    return `${tool('ip', op.netns)} address ${verb} ${op.address} dev ${op.dev}${nodad}`;
  },
  device: ({ dev }) => dev,
  additive: (op) => (op.op === 'address.add' ? op : undefined),

  simulate(state, { op, netns, dev, address: each }) {
    const namespace = state.get(netns);
    if (namespace === undefined) return [];
    const others = [...(namespace.addresses.get(dev) ?? [])].filter((other) => other !== each);
    namespace.addresses.set(dev, new Set(op === 'address.add' ? [...others, each] : others));
    const isLast = op === 'address.delete' && familyOf(each) === 4 && !others.some((other) => familyOf(other) === 4);
    // Without an IPv4 address a link has no IPv4 any more (fib_disable_ip).
    return isLast ? [{ netns, dev, what: 'no IPv4' }] : [];
  },
  follow(namespace, dev, what) {
    if (what === 'gone') namespace.addresses.delete(dev);
    if (what === 'no IPv6') keepIpv4(namespace, dev);
  },

  real: {
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR],
    events: new Map([
      [RTM_NEWADDR, isFound],
      [RTM_DELADDR, isFound],
    ]),
    judge(message, desired, nameOf) {
      const found = readAddress(message);
      if (found === undefined) return undefined;
      const dev = nameOf(found.index);
      if (dev === undefined || desired.addresses.get(dev)?.has(found.address) !== true) return undefined;
      return { key: `address ${dev} ${found.address}`, isAsDesired: message.type === RTM_NEWADDR };
    },
    read: readAddresses,
    apply(to, { op, netns, dev, address: each }) {
      const encode = op === 'address.add' ? addAddress : deleteAddress;
      to.socket(netns, NETLINK_ROUTE).request(encode(to.linkIndex(netns, dev), each));
    },
    absent: ['EADDRNOTAVAIL'],
  },
};

function isFound(message: MessageReader): boolean {
  return readAddress(message) !== undefined;
}

function present(
  addresses: ReadonlyMap<string, ReadonlySet<InterfaceAddress>> = new Map(),
): ReadonlyMap<string, ReadonlyMap<InterfaceAddress, 'present'>> {
  return new Map([...addresses].map(([dev, of]) => [dev, new Map([...of].map((each) => [each, 'present']))]));
}

function keepIpv4(namespace: Draft, dev: string): void {
  const addresses = [...(namespace.addresses.get(dev) ?? [])];
  namespace.addresses.set(dev, new Set(addresses.filter((each) => familyOf(each) === 4)));
}

function readAddresses({ links, socket }: Reading): Promise<ReadonlyMap<string, ReadonlySet<InterfaceAddress>>> {
  if (links.size === 0) return Promise.resolve(new Map());
  return socket(NETLINK_ROUTE).dump(
    dumpAddresses,
    () => new Map<string, Set<InterfaceAddress>>(),
    (found, message) => {
      const record = readAddress(message);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link !== undefined) ensure(found, link.name, () => new Set()).add(record.address);
    },
  );
}
