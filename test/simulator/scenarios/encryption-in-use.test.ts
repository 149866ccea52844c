import { encryptedVxlanPort } from '@causeway/model';
import {
  CreateNetworkRequest,
  GetNetworkRequest,
  UpdateNetworkRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { type Network, Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid, seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { afterEachOp, ipsecOf } from '../src/encryption.ts';
import type { SimHost } from '../src/host.ts';

let cluster: SimCluster;
/** Pings that failed, and since the network is encrypted those in the clear. */
let faults: string[];
let isEncrypted: boolean;

const addressOn = (host: SimHost): string => `10.70.0.1${host.name.slice(1)}`;

async function update(change: { encrypt?: boolean; noEncrypt?: boolean }): Promise<void> {
  const request = UpdateNetworkRequest.create({ requestId: randomUuid(cluster.random), network: 'blue', ...change });
  await cluster.ask((api, call) => api.network.updateNetwork(request, call));
}

async function blue(): Promise<Network | undefined> {
  const request = GetNetworkRequest.create({ network: 'blue' });
  return (await cluster.ask((api, call) => api.network.getNetwork(request, call))).network;
}

const until = (driver: string): Promise<void> =>
  cluster.until(
    `the network is ${driver}`,
    async () => (await blue())?.driver === driver && (await blue())?.becomes === '',
  );

/** All containers reach each other, there and back. */
function look(): void {
  for (const one of cluster.hosts) {
    for (const other of cluster.hosts) {
      if (one === other) continue;
      const { delivered, path } = one.trace(`on-${one.name}`, addressOn(other), cluster.hosts);
      const inEsp = path.filter((each) => each === 'ESP').length;
      if (!delivered || (isEncrypted && inEsp !== 2)) faults.push(`${one.name} to ${other.name}: ${path.join(' ')}`);
    }
  }
}

beforeEach(async () => {
  cluster = new SimCluster({ hosts: 3 });
  faults = [];
  isEncrypted = false;
  await cluster.start();
  const requestId = randomUuid(cluster.random);
  const subnets = [Subnet.create({ prefix: '10.70.0.0/24' })];
  const request = CreateNetworkRequest.create({ requestId, name: 'blue', subnets });
  await cluster.ask((api, call) => api.network.createNetwork(request, call));
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`, addressOn(host)));
  await cluster.advance(seconds(5));
  look();
  expect(faults).toEqual([]);
  for (const host of cluster.hosts) afterEachOp(host, look);
});

describe('a network in use', () => {
  it('is encrypted, and then not any more, and every ping arrives after each single op of every host', async () => {
    await update({ encrypt: true });
    await until('encrypted-overlay');
    isEncrypted = true;
    await cluster.advance(seconds(5));
    look();
    expect(faults).toEqual([]);
    isEncrypted = false;
    await update({ noEncrypt: true });
    await until('overlay');
    await cluster.advance(seconds(20));
    look();
    expect(faults).toEqual([]);
    for (const host of cluster.hosts) {
      const { xfrmStates, xfrmPolicies } = await ipsecOf(host);
      expect([xfrmStates.size, xfrmPolicies.size]).toEqual([0, 0]);
    }
  });

  it('waits for a host whose agent is down, names it, and goes on when it is back', async () => {
    const [, , h3] = cluster.hosts;
    if (h3 === undefined) throw new Error('no h3');
    h3.kill();
    await update({ encrypt: true });
    await cluster.advance(seconds(20));
    const stuck = await blue();
    expect(stuck).toMatchObject({ driver: 'dual-overlay', becomes: 'encrypted-overlay', encrypted: false });
    expect(stuck?.conditions.find(({ type }) => type === 'Settled')?.message).toContain('h3 has no session');
    await cluster.run(h3.start());
    await until('encrypted-overlay');
    isEncrypted = true;
    look();
    expect(faults).toEqual([]);
  });

  it('stays encrypted when an agent starts without managers, and the table on its disk is from before', async () => {
    const [h1] = cluster.hosts;
    if (h1 === undefined) throw new Error('no h1');
    const before = new Map(h1.files.contents);
    await update({ encrypt: true });
    await until('encrypted-overlay');
    h1.kill();
    for (const [name, bytes] of before) if (name.startsWith('network-')) h1.files.contents.set(name, bytes);
    cluster.killManager('m1');
    isEncrypted = true;
    await cluster.run(h1.start());
    await cluster.advance(seconds(20));
    look();
    const links = [...h1.kernel.namespaces.values()].flatMap((each) => [...each.links.values()]);
    expect(links.flatMap(({ link }) => (link.kind === 'vxlan' ? [link.port] : []))).toEqual([encryptedVxlanPort]);
    await cluster.startManager('m1');
    await until('encrypted-overlay');
    await cluster.advance(seconds(20));
    look();
    expect(faults).toEqual([]);
  });

  it('goes on under the next leader', async () => {
    await update({ encrypt: true });
    cluster.killManager('m1');
    await cluster.startManager('m1');
    await until('encrypted-overlay');
    expect(faults).toEqual([]);
  });
});
