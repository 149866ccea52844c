import { bridgeName, ChangeSet, hostEnd, type NetnsPath, overlayNetns, vxlanName } from '@causeway/datapath';
import {
  type EndpointId,
  type EndpointRow,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type NodeId,
  type RequestId,
} from '@causeway/model';
import { expect, it } from 'vitest';
import type { Sandbox } from '../disk/sandbox.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { desiredState } from './desired.ts';
import { partOf } from './part.ts';

const network = new FakeManager().network('blue');
const host = { node: 'a000000000000001' as NodeId, vtep: Ip('192.0.2.1'), vxlanPort: 4789 };
const row = (n: number, node: string): EndpointRow => ({
  id: `${n}`.repeat(16) as EndpointId,
  name: `e${n}` as Name,
  node: node as NodeId,
  addresses: [InterfaceAddress(`10.66.0.${n}/16`)],
  mac: Mac(`02:42:0a:42:00:0${n}`),
  vtep: Ip('192.0.2.2'),
});
const [near, far, other] = [row(2, host.node), row(3, 'b000000000000002'), row(4, 'b000000000000002')];
const container = '/run/netns/web' as NetnsPath;
const sandbox: Sandbox = {
  endpoint: { ...near, network: network.id },
  claimed: { epoch: 1n, revision: 1n },
  requestId: '' as RequestId,
  netns: container,
  identity: 'web',
  ifname: 'eth0',
  gateway: { priority: 0, slot: 0 },
};
const rows = new Map([near, far, other].map((each) => [each.id, each]));
const desired = desiredState(host, { network, rows, sandboxes: [sandbox] });
const overlay = overlayNetns(network.id);
const port = hostEnd(near.id);

/** What is compared: links and entries one by one; "all" for a whole namespace. */
function looked(tell: (changes: ChangeSet) => void): string[] {
  const changes = new ChangeSet();
  tell(changes);
  const { desired: part, scopes } = partOf(desired, network.id, [sandbox], changes);
  return [...part].flatMap(([netns, { links, fdb, neighbours }]) => {
    if (part.get(netns) === desired.get(netns) && !scopes.has(netns)) return [`all of ${netns}`];
    const asked = [...(scopes.get(netns)?.entries?.fdb ?? [])].flatMap(([dev, macs]) =>
      [...macs].map((mac) => `fdb ${dev} ${mac} ${fdb.get(dev)?.get(mac) ?? 'absent'}`),
    );
    const neighbourNames = [...neighbours].flatMap(([dev, ips]) =>
      [...ips].map(([ip, mac]) => `neighbour ${dev} ${ip} ${mac}`),
    );
    return [...[...links.keys()].map((name) => `link ${name}`), ...asked, ...neighbourNames];
  });
}

it.each<[string, (changes: ChangeSet) => unknown, string[]]>([
  ['no change', () => undefined, []],
  ['an FDB entry that is desired', (c) => c.add('fdb', vxlanName, far.mac), [`fdb ${vxlanName} ${far.mac} 192.0.2.2`]],
  ['one that is not', (c) => c.add('fdb', vxlanName, near.mac), [`fdb ${vxlanName} ${near.mac} absent`]],
  [
    'a neighbour',
    (c) => c.add('neighbours', vxlanName, Ip('10.66.0.4')),
    [`neighbour ${vxlanName} 10.66.0.4 ${other.mac}`],
  ],
  [
    "a container's link, with what falls with it and what is behind it",
    (c) => c.links.add(port),
    [`link ${port}`, `fdb ${port} ${near.mac} port`, `all of ${container}`],
  ],
  ['a link that all share', (c) => c.links.add(bridgeName), [`all of ${overlay}`]],
  ['a link that is not desired', (c) => c.links.add('dummy0'), [`all of ${overlay}`]],
  [
    'an address beside a container',
    (c) => {
      c.links.add(port);
      c.more = true;
    },
    [`all of ${overlay}`, `all of ${container}`],
  ],
])('%s', (_, tell, expected) => {
  expect(looked(tell)).toEqual(expected);
});

it('more entries than are worth single questions are looked at whole', () => {
  const many = (c: ChangeSet) => {
    for (let n = 0; n < 1000; n++) c.add('neighbours', vxlanName, Ip(`10.67.${n >> 8}.${n & 255}`));
  };
  expect(looked(many)).toEqual([`all of ${overlay}`]);
});
