import { addressOf, familyOf, InterfaceAddress, type Ip, minimumMtu, prefixOf } from '@causeway/model';
import type { AddressOp } from '../../kinds/address.ts';
import { addressCases } from '../contract/address.ts';
import { type FakeLink, findLink, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';
import { sysctlsOf } from './sysctl.ts';

/** The addresses of a link, in the order in which they were added: the first IPv4 address of a subnet is its primary. */
export const addressesOf = perOwner<FakeLink, Set<InterfaceAddress>>(() => new Set());

/** Whether the link has the address, given without prefix length. */
export function hasAddress(link: FakeLink, ip: Ip): boolean {
  return [...addressesOf(link)].some((address) => addressOf(address) === ip);
}

export const address: Twin<AddressOp> = {
  execute(namespace, { op, dev, address: each }, host) {
    if (op === 'address.add') return add(findLink(namespace, dev), each);
    const link = namespace.links.get(dev);
    if (link === undefined || !addressesOf(link).has(each)) return;
    const promote = sysctlsOf(namespace).get('net.ipv4.conf.all.promote_secondaries') === '1';
    remove(addressesOf(link), each, promote);
    const hasIpv4 = [...addressesOf(link)].some((other) => familyOf(other) === 4);
    if (familyOf(each) === 4 && !hasIpv4) host.happen(namespace, link, 'no IPv4');
  },
  view: (_, links) => new Map([...links].map(([name, link]) => [name, new Set(addressesOf(link))])),
  follow(_, link, what) {
    if (what !== 'no IPv6' && what !== 'down') return;
    for (const each of addressesOf(link)) if (familyOf(each) === 6) addressesOf(link).delete(each);
  },
  report: (changes) => {
    changes.more = true;
  },
  cases: addressCases,
  drift({ overlay: netns, devs, containers }) {
    const strays = ['10.66.0.1/16', '10.66.0.77/16'].map((each) => InterfaceAddress(each));
    return [
      devs.flatMap((dev) => strays.map((each) => ({ op: 'address.add', netns, dev, address: each }) as const)),
      [{ op: 'address.delete', netns, dev: 'br0', address: InterfaceAddress('10.66.0.1/16') }],
      containers.map(({ netns: container, number }) => {
        const own = InterfaceAddress(`10.66.0.${number}/16`);
        return { op: 'address.delete', netns: container, dev: 'eth0', address: own };
      }),
    ];
  },
};

function add(found: FakeLink, each: InterfaceAddress): void {
  const addresses = addressesOf(found);
  if (familyOf(each) === 6 && found.link.mtu < minimumMtu) throw new Refusal('EINVAL', 'no IPv6 on this link');
  if (addresses.has(each)) throw new Refusal('EEXIST', 'Address already assigned');
  addresses.add(each);
}

/** Without promote_secondaries, the removal of the first address of an IPv4 subnet also removes the others. */
function remove(addresses: Set<InterfaceAddress>, each: InterfaceAddress, promote: boolean): void {
  const subnet = prefixOf(each);
  const sameSubnet = [...addresses].filter((other) => familyOf(other) === 4 && prefixOf(other) === subnet);
  addresses.delete(each);
  if (sameSubnet[0] === each && !promote) for (const secondary of sameSubnet) addresses.delete(secondary);
}
