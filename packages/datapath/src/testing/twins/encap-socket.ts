import type { Ip } from '@causeway/model';
import { addressOf } from '@causeway/model';
import type { EncapSocketOp } from '../../kinds/encap-socket.ts';
import { encapSocketCases } from '../contract/encap-socket.ts';
import { type FakeNamespace, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';
import { addressesOf } from './address.ts';

/** Who has a socket at the port, by address. */
export const encapSocketsOf = perOwner<FakeNamespace, Map<Ip, 'ours' | 'foreign'>>(() => new Map());

export const encapSocket: Twin<EncapSocketOp> = {
  execute(namespace, { op, address }) {
    const sockets = encapSocketsOf(namespace);
    const known = sockets.get(address);
    if (op === 'encapSocket.delete') {
      if (known === 'ours') sockets.delete(address);
      return;
    }
    const isThere = [...namespace.links.values()].some((link) =>
      [...addressesOf(link)].map(addressOf).includes(address),
    );
    if (!isThere) throw new Refusal('EADDRNOTAVAIL', '');
    if (known === 'ours') throw new Refusal('EEXIST', '');
    if (known === 'foreign') throw new Refusal('EADDRINUSE', 'another process has the port');
    sockets.set(address, 'ours');
  },
  view: (namespace) =>
    new Map([...encapSocketsOf(namespace)].flatMap(([ip, by]) => (by === 'ours' ? [[ip, true] as const] : []))),
  cases: encapSocketCases,
  /** As for SAs. */
  drift: () => [],
};
