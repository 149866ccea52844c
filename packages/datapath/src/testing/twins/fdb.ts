import { family, type Ip, isGroup, type Mac } from '@causeway/model';
import type { ChangeSet } from '../../changes.ts';
import type { FdbOp, FdbTarget } from '../../kinds/fdb.ts';
import { portOf } from '../../kinds/link/link.ts';
import { fdbCases } from '../contract/fdb.ts';
import { type FakeLink, type FakeNamespace, findLink, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** The entries of a vxlan device (`self`). Only a group MAC can have several VTEPs. */
export const tunnelsOf = perOwner<FakeLink, Map<Mac, readonly Ip[]>>(() => new Map());
/** The static entries that a bridge has for a link (`master`). */
export const portEntriesOf = perOwner<FakeLink, Set<Mac>>(() => new Set());

export const fdb: Twin<FdbOp> = {
  execute(namespace, op) {
    if (op.op === 'fdb.set') return set(findLink(namespace, op.dev), op.mac, op.target);
    const link = namespace.links.get(op.dev);
    if (link !== undefined) remove(link, op.mac, op.target);
  },
  view: (_, links) => new Map([...links].map(([name, link]) => [name, entriesOf(link)])),
  follow(_, link, what) {
    if (what === 'left bridge') portEntriesOf(link).clear();
  },
  report: (changes, { dev, mac }) => reportFdb(changes, dev, mac),
  reportsOwn: ({ mac }) => isGroup(mac),
  cases: fdbCases,
  drift({ overlay: netns, devs, macs, vteps }) {
    const entries = devs.flatMap((dev) => macs.map((mac) => ({ netns, dev, mac })));
    const targets = ['port', ...vteps] as const;
    return [
      entries.flatMap((entry) => targets.map((target) => ({ op: 'fdb.set', ...entry, target }) as const)),
      entries.flatMap((entry) =>
        targets.slice(0, 2).map((target) => ({ op: 'fdb.delete', ...entry, target }) as const),
      ),
    ];
  },
};

/** bridge fdb append: Causeway never does this. A unicast MAC silently keeps its VTEP. */
export function appendFdb(namespace: FakeNamespace, dev: string, mac: Mac, vtep: Ip): void {
  const found = findLink(namespace, dev);
  checkTunnel(found, vtep);
  const vteps = tunnelsOf(found).get(mac) ?? [];
  if (vteps.length === 0 || (isGroup(mac) && !vteps.includes(vtep))) tunnelsOf(found).set(mac, [...vteps, vtep]);
}

export function reportFdb(changes: ChangeSet, dev: string, mac: Mac): void {
  if (isGroup(mac)) changes.more = true;
  else changes.add('fdb', dev, mac);
}

function set(found: FakeLink, mac: Mac, target: 'port' | Ip): void {
  if (target === 'port') {
    const { name } = found.link;
    if (portOf(found.link) === undefined) throw new Refusal('EOPNOTSUPP', `${name} is not a port of a bridge`);
    portEntriesOf(found).add(mac);
    return;
  }
  checkTunnel(found, target);
  if (isGroup(mac)) throw new Refusal('EOPNOTSUPP', 'Cannot replace non-unicast fdb entries');
  tunnelsOf(found).set(mac, [target]);
}

function remove(found: FakeLink, mac: Mac, target: FdbTarget): void {
  if (target === 'port') {
    portEntriesOf(found).delete(mac);
    return;
  }
  const vteps = tunnelsOf(found).get(mac) ?? [];
  const left = vteps.filter((vtep) => !(typeof target === 'string' ? [target] : target).includes(vtep));
  if (left.length === 0) tunnelsOf(found).delete(mac);
  else tunnelsOf(found).set(mac, left);
}

function entriesOf(link: FakeLink): ReadonlyMap<Mac, FdbTarget> {
  if (link.link.kind !== 'vxlan') return new Map([...portEntriesOf(link)].map((mac) => [mac, 'port']));
  return new Map([...tunnelsOf(link)].map(([mac, vteps]) => [mac, vteps.length === 1 && vteps[0] ? vteps[0] : vteps]));
}

function checkTunnel(found: FakeLink, vtep: Ip): void {
  if (found.link.kind !== 'vxlan') throw new Refusal('EOPNOTSUPP', `${found.link.name} is not a vxlan device`);
  if (family(found.link.local) !== family(vtep)) {
    throw new Refusal('EAFNOSUPPORT', 'Address family not supported by protocol');
  }
}
