import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, NetworkJson, StatusJson, VerifyJson } from './answers.ts';
import { attach, type Container, createNetwork, events, expectAllPing, traffic, watchEvents } from './cluster.ts';
import { eventually } from './eventually.ts';
import { peersOn, wantedPeers } from './overlay.ts';
import { describeLab } from './requirements.ts';
import { Lab } from './topology.ts';

describeLab('managers and etcd killed', () => {
  let lab: Lab;
  let blue: NetworkJson;
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.up('control-death', { hosts: 3, managers: 2, subnet: '10.94.0.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    for (const host of lab.hosts) containers.push(await attach(lab, 'blue', host, `first-${host}`));
  });
  afterAll(() => lab?.down());

  const leader = async (): Promise<string> => {
    const node = (await lab.json<StatusJson>('h3', 'status')).leader?.node;
    if (node === undefined) throw new Error('no manager leads');
    return node;
  };

  /** Kills and revives under traffic; then attach works, all that was acknowledged is there, and nothing is given twice. */
  async function survives(kill: () => Promise<void>, revive: () => Promise<void>, name: string): Promise<void> {
    const [from, to] = containers;
    if (from === undefined || to === undefined) throw new Error('no containers');
    const flow = await traffic(lab, from, to);
    await kill();
    await expectAllPing(lab, containers.slice(0, 3), 1);
    await revive();
    await lab.run('h3', 'ip', 'netns', 'add', name);
    const endpoint = await eventually(() =>
      lab.json<EndpointJson>('h3', 'endpoint', 'attach', 'blue', '--name', name, '--netns', `/run/netns/${name}`),
    );
    containers.push({ host: 'h3', netns: name, endpoint });
    await flow.end();
    await expectIntact();
  }

  async function expectIntact(): Promise<void> {
    const listed = await lab.json<readonly EndpointJson[]>('h1', 'endpoint', 'list');
    expect(listed.map((endpoint) => endpoint.id).sort()).toEqual(containers.map((each) => each.endpoint.id).sort());
    const given = listed.flatMap((endpoint) => [...endpoint.addresses, endpoint.mac]);
    expect(new Set(given).size).toBe(given.length);
    for (const host of lab.hosts) {
      await eventually(async () => expect(await peersOn(lab, blue, host)).toEqual(wantedPeers(lab, containers, host)));
    }
    await eventually(async () => expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]));
  }

  test('another manager takes over when the leader is killed, and attach works on it', async () => {
    const old = await leader();
    const watch = await watchEvents(lab, 'h3');
    await survives(
      () => lab.kill(old, 'manager'),
      async () => {
        await eventually(async () => expect(await leader()).not.toBe(old));
      },
      'after-takeover',
    );
    expect(await leader()).not.toBe(old);
    await lab.startProcess(old, 'manager');
    await eventually(async () => expect((await lab.status()).hosts.every((host) => host.ready)).toBe(true));
    // The one that came back stands by.
    expect(await leader()).not.toBe(old);
    // Who watched through it was told all there is, once.
    const kept = await events(lab);
    await eventually(async () =>
      expect(watch.told().at(-1)?.sequence).toBeGreaterThanOrEqual(kept.at(-1)?.sequence ?? 0),
    );
    await watch.end();
    const seen = watch.told().map(({ sequence }) => sequence);
    expect(seen.slice(0, kept.length)).toEqual(kept.map(({ sequence }) => sequence));
    expect(new Set(seen).size).toBe(seen.length);
    expect(kept.map(({ kind }) => kind).filter((kind) => kind === 'leader.changed').length).toBeGreaterThan(1);
  });

  test('all managers killed: traffic goes on, and attach works again when they are back', () =>
    survives(
      async () => {
        await lab.kill('h1', 'manager');
        await lab.kill('h2', 'manager');
        const refused = await lab.try('h1', 'causeway', 'endpoint', 'list', '--timeout', '1s');
        expect(refused.code).toBe(5);
      },
      async () => {
        await lab.startProcess('h1', 'manager');
        await lab.startProcess('h2', 'manager');
      },
      'after-managers',
    ));

  test('etcd killed: traffic goes on, an attach fails as unavailable, and works again when etcd is back', () =>
    survives(
      async () => {
        await lab.kill('h1', 'etcd');
        await lab.kill('h2', 'etcd');
        await lab.run('h2', 'ip', 'netns', 'add', 'refused');
        const where = ['--name', 'refused', '--netns', '/run/netns/refused', '--timeout', '2s'];
        expect((await lab.try('h2', 'causeway', 'endpoint', 'attach', 'blue', ...where)).code).toBe(5);
      },
      async () => {
        await lab.startProcess('h1', 'etcd');
        await lab.startProcess('h2', 'etcd');
        // Unknown then, settled now: whether or not the claim was written, nothing of it may stay behind.
        await eventually(async () => {
          const shown = await lab.try('h1', 'causeway', 'endpoint', 'show', 'refused');
          expect(shown.code).toBe(3);
        });
      },
      'after-etcd',
    ));

  test('a name refused in the outage is free after it', async () => {
    await lab.run('h2', 'ip', 'netns', 'add', 'again');
    const where = ['--name', 'refused', '--netns', '/run/netns/again'];
    const endpoint = await lab.json<EndpointJson>('h2', 'endpoint', 'attach', 'blue', ...where);
    containers.push({ host: 'h2', netns: 'again', endpoint });
    await expectIntact();
    await expectAllPing(lab, containers, 1);
  });
});
