import { hostNetns, ourPriority, type SaKey, type XfrmPolicy } from '@causeway/datapath';
import { RotateKeysRequest } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, minutes, randomUuid, seconds } from '@causeway/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { SimCluster, type SimSettings } from '../src/cluster.ts';
import {
  afterEachOp,
  demandOf,
  generationsFrom,
  ipsecOf,
  isProtected,
  leaks,
  secretsOf,
  sendingSa,
} from '../src/encryption.ts';
import type { SimHost } from '../src/host.ts';

async function createVault(cluster: SimCluster): Promise<void> {
  const requestId = randomUuid(cluster.random);
  const subnets = [Subnet.create({ prefix: '10.70.0.0/24' })];
  const request = CreateNetworkRequest.create({ requestId, name: 'vault', subnets, encrypt: true });
  await cluster.ask((api, call) => api.network.createNetwork(request, call));
}

const addressOn = (host: SimHost): string => `10.70.0.1${host.name.slice(1)}`;
const attach = (cluster: SimCluster, host: SimHost) =>
  cluster.run(host.attach('vault', `on-${host.name}`, addressOn(host)));

/** Whether containers of both hosts reach each other, and each frame between the hosts is in ESP. */
function talkInEsp(cluster: SimCluster, one: SimHost, other: SimHost): boolean {
  const { delivered, path } = one.trace(`on-${one.name}`, addressOn(other), cluster.hosts);
  return delivered && path.filter((each) => each === 'ESP').length === 2;
}

async function allTalk(cluster: SimCluster, hosts: readonly SimHost[] = cluster.hosts): Promise<boolean> {
  for (const one of hosts)
    for (const other of hosts) if (one !== other && !talkInEsp(cluster, one, other)) return false;
  return true;
}

async function first<Value>(values: AsyncIterable<Value>): Promise<Value> {
  for await (const value of values) return value;
  throw new Error('there is no value');
}

const isBlock = ({ priority }: XfrmPolicy): boolean => priority === ourPriority.block;

/** Hosts that each have a container on the encrypted network "vault". */
async function living(settings: Partial<SimSettings> = {}): Promise<SimCluster> {
  const cluster = new SimCluster({ hosts: 3, ...settings });
  await cluster.start();
  await createVault(cluster);
  for (const host of cluster.hosts) await attach(cluster, host);
  await cluster.until('all talk in ESP', () => allTalk(cluster));
  return cluster;
}

let cluster: SimCluster;

/** No host has failed in a round. */
afterEach(() => {
  expect(cluster.log.lines.filter(({ event }) => event === 'encryption.failed')).toEqual([]);
});

describe('hosts on an encrypted network', () => {
  it('come to have the same keys, each for one pair and direction, and then rest', async () => {
    cluster = await living();
    const keys: (SaKey | undefined)[] = [];
    for (const one of cluster.hosts) {
      for (const other of cluster.hosts) {
        if (one === other) continue;
        expect(await isProtected(one, other)).toBe(true);
        keys.push((await sendingSa(one, other))?.key);
      }
    }
    const isUnlike = (n: number): boolean => keys.every((key, m) => n === m || (key && !keys[n]?.equals(key)));
    expect(keys.map((_, n) => isUnlike(n))).toEqual(keys.map(() => true));
    await cluster.advance(seconds(5));
    const before = cluster.hosts.map(({ kernel }) => kernel.writes);
    await cluster.advance(minutes(1));
    expect(cluster.hosts.map(({ kernel }) => kernel.writes)).toEqual(before);
  });

  it('attach before their peers have keys, and send nothing to these until then', async () => {
    cluster = new SimCluster({ hosts: 2 });
    await cluster.start();
    await createVault(cluster);
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    await attach(cluster, h1);
    await cluster.advance(seconds(5));
    // The agent of h2 ends when it makes the interface: h1 knows the endpoint, and no keys.
    afterEachOp(h2, (op) => {
      if (op.op === 'link.add' && op.link.kind === 'veth') h2.kill();
    });
    void h2.attach('vault', 'on-h2', addressOn(h2));
    await cluster.advance(seconds(5));
    await cluster.run(h1.attach('vault', 'another'));
    expect(h1.trace('on-h1', addressOn(h2), cluster.hosts)).toMatchObject({
      delivered: false,
      path: ['eth0', 'br0', 'vxlan1', h2.vtep],
    });
    expect(leaks(h1)).toEqual([]);
    await cluster.run(h2.start());
    await cluster.until('all talk', () => allTalk(cluster));
  });

  it('never send in the clear, after each single op of attaches, rekeys, restarts and detaches', async () => {
    cluster = new SimCluster({ hosts: 3, rekeyPeriod: seconds(20) });
    await cluster.start();
    await createVault(cluster);
    const faults: string[] = [];
    for (const host of cluster.hosts) {
      afterEachOp(host, ({ op }) => {
        for (const to of leaks(host)) faults.push(`${host.name} after ${op}: to ${to}`);
      });
    }
    for (const host of cluster.hosts) await attach(cluster, host);
    await cluster.until('all talk', () => allTalk(cluster));
    const before = (await sendingSa(cluster.host('h1'), cluster.host('h2')))?.spi;
    await cluster.advance(seconds(60));
    expect((await sendingSa(cluster.host('h1'), cluster.host('h2')))?.spi).not.toBe(before);
    const h1 = cluster.host('h1');
    h1.kill();
    await cluster.run(h1.start());
    await cluster.advance(seconds(30));
    for (const host of cluster.hosts) await cluster.run(host.detach(`vault/on-${host.name}`));
    await cluster.until('nothing is left', async () => {
      const all = await Promise.all(cluster.hosts.map(ipsecOf));
      return all.every(({ xfrmStates, xfrmPolicies }) => xfrmStates.size + xfrmPolicies.size === 0);
    });
    expect(faults).toEqual([]);
  });

  it('go on with their keys after a restart, also while no manager answers', async () => {
    cluster = await living();
    await cluster.advance(seconds(5));
    const h1 = cluster.host('h1');
    const before = [h1.kernel.writes, (await sendingSa(h1, cluster.host('h2')))?.spi];
    h1.kill();
    cluster.killManager('m1');
    await cluster.run(h1.start());
    await cluster.advance(seconds(20));
    expect(await allTalk(cluster)).toBe(true);
    await cluster.startManager('m1');
    await cluster.until('all hosts are ready', async () => (await cluster.readyHosts()) === 3);
    await cluster.advance(seconds(20));
    expect(await allTalk(cluster)).toBe(true);
    expect([h1.kernel.writes, (await sendingSa(h1, cluster.host('h2')))?.spi]).toEqual(before);
  });

  it('change their keys while the agent of one is down, and no pair stops', async () => {
    cluster = await living({ rekeyPeriod: seconds(60) });
    const [h1, h2, h3] = [cluster.host('h1'), cluster.host('h2'), cluster.host('h3')];
    h3.kill();
    const before = (await sendingSa(h1, h2))?.spi;
    const toDown = (await sendingSa(h1, h3))?.spi;
    for (let at = 0; at < 240; at++) {
      await cluster.advance(seconds(1));
      expect(await allTalk(cluster), `after ${at} s`).toBe(true);
      expect(await generationsFrom(h1, h2)).toBeLessThanOrEqual(3);
    }
    expect((await sendingSa(h1, h2))?.spi).not.toBe(before);
    expect((await sendingSa(h1, h3))?.spi).toBe(toDown);
    await cluster.run(h3.start());
    await cluster.until('h3 has new keys of h1', async () => (await sendingSa(h1, h3))?.spi !== toDown);
    expect(await allTalk(cluster)).toBe(true);
  });

  it('go on when another manager leads, which has none of their receipts', async () => {
    cluster = await living({ managers: 3, rekeyPeriod: seconds(30) });
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const before = (await sendingSa(h1, h2))?.spi;
    for (const leader of cluster.leaders) cluster.killManager(leader);
    for (let at = 0; at < 90; at++) {
      await cluster.advance(seconds(1));
      expect(await allTalk(cluster), `after ${at} s`).toBe(true);
    }
    expect((await sendingSa(h1, h2))?.spi).not.toBe(before);
  });

  it('all change their keys once when the leader that began a rotation dies in the middle of it', async () => {
    // More than change at a time.
    cluster = await living({ managers: 3, hosts: 10 });
    await cluster.advance(seconds(15));
    const [h1] = cluster.hosts;
    if (h1 === undefined) throw new Error('no host');
    const generationOf = async (host: SimHost): Promise<number> => {
      const peer = host === h1 ? cluster.host('h2') : h1;
      return ((await sendingSa(host, peer))?.spi ?? 0) >>> 28;
    };
    const generations = (): Promise<readonly number[]> => Promise.all(cluster.hosts.map(generationOf));
    expect(await generations()).toEqual(cluster.hosts.map(() => 1));
    const request = RotateKeysRequest.create({ requestId: randomUuid(cluster.random) });
    const { rotated, total } = await cluster.ask(
      async (api, call) => await first(api.crypto.rotateKeys(request, call)),
    );
    expect([rotated, total]).toEqual([0, 10]);
    await cluster.until('some have changed', async () => (await generations()).includes(2));
    expect(await generations()).toContain(1);
    for (const leader of cluster.leaders) cluster.killManager(leader);
    const isOver = (): boolean => cluster.log.lines.some(({ event }) => event === 'keys.rotated');
    expect(isOver()).toBe(false);
    for (let at = 0; at < 60 && !isOver(); at++) {
      await cluster.advance(seconds(1));
      expect(await allTalk(cluster), `after ${at} s`).toBe(true);
    }
    expect(isOver()).toBe(true);
    await cluster.advance(seconds(30));
    expect(await generations()).toEqual(cluster.hosts.map(() => 2));
  });

  it('make new keys when the file of their keys is damaged, and send nothing in the clear until then', async () => {
    cluster = await living({ hosts: 2 });
    await cluster.advance(seconds(15));
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const before = (await sendingSa(h1, h2))?.spi;
    h1.kill();
    h1.encryption.keyFile.damage();
    const leaking: string[] = [];
    afterEachOp(h1, () => leaking.push(...leaks(h1)));
    await cluster.run(h1.start());
    await cluster.until('another SA is used', async () => {
      return (await sendingSa(h1, h2))?.spi !== before && (await isProtected(h1, h2)) && (await allTalk(cluster));
    });
    expect(leaking).toEqual([]);
    expect(cluster.log.lines.filter(({ event }) => event === 'keys.unusable')).toHaveLength(1);
  });

  it('have nothing of a peer that has left, and nothing at all when the last container has left', async () => {
    cluster = await living({ hosts: 2 });
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    await cluster.run(h2.detach('vault/on-h2'));
    await cluster.until('h1 has only blocks', async () => {
      const { xfrmStates, xfrmPolicies } = await ipsecOf(h1);
      return xfrmStates.size === 0 && [...xfrmPolicies.values()].every(isBlock);
    });
    expect((await ipsecOf(h1)).xfrmPolicies.size).toBe(6);
    await cluster.run(h1.detach('vault/on-h1'));
    await cluster.until('nothing is left', async () => (await ipsecOf(h1)).xfrmPolicies.size === 0);
    await attach(cluster, h1);
    await attach(cluster, h2);
    await cluster.until('all talk', () => allTalk(cluster));
  });

  it('repair what other programs delete within a second; the blocks hold meanwhile', async () => {
    cluster = await living({ hosts: 2 });
    await cluster.advance(seconds(5));
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const demand = await demandOf(h1, h2);
    if (demand === undefined) throw new Error('no policy');
    h1.kernel.foreign({ op: 'xfrmPolicy.delete', netns: hostNetns, policy: demand });
    expect([h1.pings('on-h1', addressOn(h2), cluster.hosts), leaks(h1)]).toEqual([false, []]);
    await cluster.advance(seconds(1));
    expect(await demandOf(h1, h2)).toEqual(demand);
    for (const policy of (await ipsecOf(h1)).xfrmPolicies.values())
      if (isBlock(policy)) h1.kernel.foreign({ op: 'xfrmPolicy.delete', netns: hostNetns, policy });
    await cluster.advance(seconds(1));
    expect([...(await ipsecOf(h1)).xfrmPolicies.values()].filter(isBlock)).toHaveLength(6);
    expect(await allTalk(cluster)).toBe(true);
    const repaired = cluster.log.lines.filter(({ event }) => event === 'drift.repaired');
    expect(repaired.map(({ fields }) => fields['count'])).toEqual([1, 6]);
  });

  it('send nothing in the clear when another program flushes all policies, or all tables of nftables', async () => {
    cluster = await living({ hosts: 2 });
    await cluster.advance(seconds(5));
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const pings = (): boolean => h1.pings('on-h1', addressOn(h2), cluster.hosts);
    const unprotected = (host: typeof h1): readonly string[] => [
      ...new Set(leaks(host).map((leak) => leak.slice(leak.indexOf(' ') + 1))),
    ];
    const { xfrmPolicies, portGuards } = await ipsecOf(h1);
    for (const policy of xfrmPolicies.values())
      h1.kernel.foreign({ op: 'xfrmPolicy.delete', netns: hostNetns, policy });
    expect([pings(), unprotected(h1)]).toEqual([false, ['without a policy']]);
    await cluster.advance(seconds(1));
    expect([await allTalk(cluster), leaks(h1)]).toEqual([true, []]);
    for (const port of portGuards.keys()) h1.kernel.foreign({ op: 'portGuard.delete', netns: hostNetns, port });
    expect([pings(), unprotected(h1)]).toEqual([true, ['without a guard']]);
    await cluster.advance(seconds(1));
    expect([await allTalk(cluster), leaks(h1)]).toEqual([true, []]);
  });

  it('get new keys when an SA is lost', async () => {
    cluster = await living({ hosts: 2 });
    await cluster.advance(seconds(15));
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const lost = await sendingSa(h1, h2);
    if (lost === undefined) throw new Error('no SA');
    h1.kernel.foreign({ op: 'xfrmState.delete', netns: hostNetns, state: lost });
    await cluster.until('another SA is used', async () => (await isProtected(h1, h2)) && (await allTalk(cluster)));
    expect((await sendingSa(h1, h2))?.spi).not.toBe(lost.spi);
    expect(cluster.log.lines.some(({ event }) => event === 'keys.lost')).toBe(true);
  });

  it('use no keys that another CA has certified, and send nothing to that host', async () => {
    cluster = new SimCluster({ hosts: 3 });
    cluster.host('h3').encryption.member.renew(2);
    await cluster.start();
    await createVault(cluster);
    for (const host of cluster.hosts) await attach(cluster, host);
    const [h1, h2, h3] = [cluster.host('h1'), cluster.host('h2'), cluster.host('h3')];
    await cluster.until('the others talk', () => allTalk(cluster, [h1, h2]));
    await cluster.advance(seconds(10));
    expect(await demandOf(h1, h3)).toBeUndefined();
    expect([h1.pings('on-h1', addressOn(h3), cluster.hosts), leaks(h1), leaks(h3)]).toEqual([false, [], []]);
    const refused = cluster.log.lines.filter(({ event, fields }) => {
      return event === 'keys.refused' && fields['process'] === 'agent of h1';
    });
    expect(refused.map(({ fields }) => fields['code'])).toEqual(['certificate-untrusted']);
  });

  it('sign their record again when their certificate was renewed, and keep their keys', async () => {
    cluster = await living({ hosts: 2 });
    await cluster.advance(seconds(5));
    const [h1, h2] = [cluster.host('h1'), cluster.host('h2')];
    const before = [h1.kernel.writes, h2.kernel.writes, (await sendingSa(h1, h2))?.spi];
    const sent: string[] = [];
    cluster.connections.tap = (host, way) => void (way === 'up' && sent.push(host));
    h1.encryption.member.renew();
    await cluster.advance(milliseconds(500));
    cluster.connections.tap = undefined;
    expect(sent).toContain('h1');
    await cluster.advance(seconds(20));
    expect([h1.kernel.writes, h2.kernel.writes, (await sendingSa(h1, h2))?.spi]).toEqual(before);
    // A host that knows only the record with the new certificate.
    h2.files.contents.clear();
    h2.kill();
    await cluster.run(h2.start());
    await cluster.until('all talk', () => allTalk(cluster));
  });

  it('tell neither logs nor managers their private keys', async () => {
    cluster = new SimCluster({ hosts: 2, rekeyPeriod: seconds(20) });
    const sent: Uint8Array[] = [];
    cluster.connections.tap = (_, way, bytes) => void (way === 'up' && sent.push(bytes));
    await cluster.start();
    await createVault(cluster);
    for (const host of cluster.hosts) await attach(cluster, host);
    await cluster.until('all talk', () => allTalk(cluster));
    await cluster.advance(seconds(60));
    const secrets = cluster.hosts.flatMap(secretsOf);
    expect(secrets.length).toBeGreaterThan(4);
    const log = JSON.stringify(cluster.log.lines);
    const files = cluster.hosts.flatMap((host) => [...host.files.contents.values()]);
    const elsewhere = [Buffer.from(log), ...[...sent, ...files].map((bytes) => Buffer.from(bytes))];
    const told = secrets.filter((secret) => {
      const raw = Buffer.from(secret, 'base64url');
      const forms = [secret, raw, raw.toString('hex'), raw.toString('base64')];
      return elsewhere.some((bytes) => forms.some((form) => bytes.includes(form)));
    });
    expect(told).toEqual([]);
  });
});
