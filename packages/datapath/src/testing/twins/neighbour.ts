import { family, type Ip, type Mac } from '@causeway/model';
import type { NeighbourOp } from '../../kinds/neighbour.ts';
import { neighbourCases } from '../contract/neighbour.ts';
import { type FakeLink, findLink, perOwner } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** The permanent neighbours of a link. */
export const neighboursOf = perOwner<FakeLink, Map<Ip, Mac>>(() => new Map());

export const neighbour: Twin<NeighbourOp> = {
  execute(namespace, op) {
    if (op.op === 'neighbour.set') neighboursOf(findLink(namespace, op.dev)).set(op.ip, op.mac);
    else {
      const link = namespace.links.get(op.dev);
      if (link !== undefined) neighboursOf(link).delete(op.ip);
    }
  },
  view: (_, links) => new Map([...links].map(([name, link]) => [name, new Map(neighboursOf(link))])),
  follow(_, link, what) {
    const neighbours = neighboursOf(link);
    if (what === 'new MAC' || what === 'down') neighbours.clear();
    if (what !== 'no IPv4' && what !== 'no IPv6') return;
    const gone = what === 'no IPv4' ? 4 : 6;
    for (const ip of neighbours.keys()) if (family(ip) === gone) neighbours.delete(ip);
  },
  report: (changes, { dev, ip }) => changes.add('neighbours', dev, ip),
  reportsOwn: () => false,
  cases: neighbourCases,
  drift({ overlay: netns, devs, ips, macs }) {
    const entries = devs.flatMap((dev) => ips.map((ip) => ({ netns, dev, ip })));
    return [
      entries.flatMap((entry) => macs.map((mac) => ({ op: 'neighbour.set', ...entry, mac }) as const)),
      entries.map((entry) => ({ op: 'neighbour.delete', ...entry })),
    ];
  },
};
