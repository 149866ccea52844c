import { encapPort, type Ip } from '@causeway/model';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import { compareMaps } from './compare-maps.ts';
import type { Kind } from './kind.ts';
import { byKey, describeDifference, inside } from './printing.ts';

/**
 * A UDP socket whose ESP packets the kernel takes (RFC 3948). Nothing reads the socket; it only has to be open. So a process of its
 * own holds it, which outlives the agent. See docs/decisions/0031-esp-in-udp.md.
 */
export type EncapSocketOp = {
  readonly op: 'encapSocket.add' | 'encapSocket.delete';
  readonly netns: NetnsPath;
  readonly address: Ip;
};

/** Sockets that a process of ours holds. There is no notification of sockets. */
export const encapSocket: Kind<'encap socket', Ip, true, EncapSocketOp> = {
  name: 'encap socket',
  slot: 'encapSockets',
  ops: ['encapSocket.add', 'encapSocket.delete'],
  isOfHost: true,
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.encapSockets, desired?.encapSockets),
  isOurs: isOurLink,
  describe: (difference) => ({ key: printAddress(difference.key), ...describeDifference(difference, () => 'open') }),
  list: ({ encapSockets }) => [...encapSockets].sort(byKey).map(([ip]) => `encap socket ${printAddress(ip)}`),

  steps: (netns, { key: address, desired }) =>
    desired === undefined
      ? [['close socket', { op: 'encapSocket.delete', netns, address }]]
      : [['open socket', { op: 'encapSocket.add', netns, address }]],
  /** The commands with which a person looks at such a socket: no command makes one. */
  print: ({ op, netns, address }) =>
    `${inside(netns)}ss -Hunap src ${printAddress(address)} # ${op === 'encapSocket.add' ? 'opens' : 'closes'} this socket`,
  device: () => undefined,
  additive: (op) => (op.op === 'encapSocket.add' ? op : undefined),

  real: {
    read: async ({ encapSockets }) => new Map([...encapSockets()].map((ip) => [ip, true as const])),
    apply: (to, { op, netns, address }) =>
      op === 'encapSocket.add' ? to.openEncapSocket(netns, address) : to.closeEncapSocket(netns, address),
  },
};

function printAddress(ip: Ip): string {
  return ip.includes(':') ? `[${ip}]:${encapPort}` : `${ip}:${encapPort}`;
}
