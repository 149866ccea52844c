import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentStatus } from './agent-api.ts';
import type { EndpointJson, NetworkJson, StatusJson, VerifyJson } from './answers.ts';
import {
  attach,
  attachWith,
  type Container,
  createNetwork,
  events,
  expectAllPing,
  type Traffic,
  traffic,
  watchEvents,
} from './cluster.ts';
import { eventually } from './eventually.ts';
import { expectedPeers, peersOn } from './overlay.ts';
import { describeLab } from './requirements.ts';

const patience = 60_000;

// `npm run chaos -- failover` measures how long each takes. This test checks only what must hold on a machine under any
// load.
describeLab('three managers and three etcd members, of which some or all die', () => {
  const managers = ['h1', 'h2', 'h3'];
  let lab: Lab;
  let blue: NetworkJson;
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'control-plane', hosts: 4, managers: managers.length, subnet: '10.98.0.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    for (const host of lab.hosts) containers.push(await attach(lab, 'blue', host, `first-${host}`));
    await whole();
  });
  afterAll(() => lab?.down());

  const status = (): Promise<StatusJson> => lab.json<StatusJson>('h4', 'status');
  const leads: Readonly<Record<'manager' | 'etcd', (seen: StatusJson) => string | undefined>> = {
    manager: ({ leader }) => leader?.node,
    etcd: ({ etcd }) => etcd.members.find(({ leader }) => leader)?.name,
  };

  /** Waits until all managers and members run and are healthy, and every host is ready. */
  function whole(): Promise<void> {
    return eventually(async () => {
      const { managers, etcd, hosts } = await status();
      expect(managers.map(({ state }) => state).sort()).toEqual(['leader', 'standby', 'standby']);
      expect(etcd.members.filter(({ healthy }) => healthy)).toHaveLength(3);
      expect(hosts).toMatchObject({ ready: 4, total: 4, notReady: [] });
    }, patience);
  }

  /** Everything acknowledged must exist and nothing may be given twice, at the managers and in every kernel. */
  async function expectIntact(): Promise<void> {
    const listed = await lab.json<readonly EndpointJson[]>('h1', 'endpoint', 'list');
    expect(listed.map(({ id }) => id).sort()).toEqual(containers.map(({ endpoint }) => endpoint.id).sort());
    const given = listed.flatMap(({ addresses, mac }) => [...addresses, mac]);
    expect(new Set(given).size).toBe(given.length);
    for (const host of lab.hosts) {
      await eventually(async () =>
        expect(await peersOn(lab, blue, host)).toEqual(expectedPeers(lab, containers, host)),
      );
    }
    await eventually(async () => expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]));
  }

  /** Traffic from h3 to h4 and back. */
  function flowing(): Promise<Traffic> {
    const [, , from, to] = containers as [Container, Container, Container, Container];
    return traffic(lab, from, to);
  }

  test.each<[string, 'manager' | 'etcd', 'KILL' | 'TERM']>([
    ['the leader killed', 'manager', 'KILL'],
    ['the leader asked to stop', 'manager', 'TERM'],
    ['the etcd leader killed', 'etcd', 'KILL'],
  ])('%s: traffic goes on, attach works through another, and a watch gets every event', async (what, kind, signal) => {
    const watch = await watchEvents(lab, 'h4');
    const flow = await flowing();
    const old = leads[kind](await status()) ?? '';
    await lab.kill(old, kind, signal);
    // A single call: the command itself must wait until an election is over, not its caller.
    containers.push(await attachWith(lab, 'blue', 'h4', what.replaceAll(' ', '-'), ['--timeout', '30s']));
    await eventually(async () => expect(leads[kind](await status()) ?? old).not.toBe(old), patience);
    await lab.startProcess(old, kind);
    await flow.end();
    await whole();
    // The process that came back must be a standby.
    expect(leads[kind](await status())).not.toBe(old);
    await expectIntact();
    const kept = (await events(lab)).map(({ sequence }) => sequence);
    const seen = (): readonly number[] => watch.events().map(({ sequence }) => sequence);
    await eventually(async () => expect(seen().at(-1)).toBeGreaterThanOrEqual(kept.at(-1) ?? 0));
    await watch.end();
    expect(seen().slice(0, kept.length)).toEqual(kept);
    expect(new Set(seen()).size).toBe(seen().length);
  });

  test('all managers killed: no packet is lost, and agents come up from their ledger without a write', async () => {
    const flow = await flowing();
    await Promise.all(managers.map((host) => lab.kill(host, 'manager')));
    expect((await lab.try('h1', 'causeway', 'endpoint', 'list', '--timeout', '1s')).code).toBe(5);
    for (const host of ['h3', 'h4']) {
      await lab.kill(host, 'agent');
      await lab.startProcess(host, 'agent');
      await eventually(async () => {
        const { networks, manager } = await agentStatus(lab, host);
        expect(manager).toBe('');
        expect(networks.map(({ network }) => network)).toEqual(['blue']);
      });
    }
    await expectAllPing(lab, containers.slice(0, 4), 1);
    await Promise.all(managers.map((host) => lab.startProcess(host, 'manager')));
    await whole();
    for (const host of ['h3', 'h4']) expect((await agentStatus(lab, host)).kernelWrites).toBe(0n);
    await flow.end();
    containers.push(await attach(lab, 'blue', 'h3', 'after-managers'));
    await expectIntact();
  });

  test('all of etcd killed: traffic goes on, an attach fails as unavailable, and its name is free afterwards', async () => {
    const flow = await flowing();
    await Promise.all(managers.map((host) => lab.kill(host, 'etcd')));
    await lab.run('h2', 'ip', 'netns', 'add', 'outage');
    const where = ['--name', 'refused', '--netns', '/run/netns/outage', '--timeout', '2s'];
    expect((await lab.try('h2', 'causeway', 'endpoint', 'attach', 'blue', ...where)).code).toBe(5);
    await expectAllPing(lab, containers.slice(0, 4), 1);
    await Promise.all(managers.map((host) => lab.startProcess(host, 'etcd')));
    await flow.end();
    await whole();
    // The outcome was unknown to the caller. By now it must be settled, and nothing of the claim may be left, written
    // or not.
    await eventually(async () => {
      expect((await lab.try('h1', 'causeway', 'endpoint', 'show', 'refused')).code).toBe(3);
    });
    containers.push(await attach(lab, 'blue', 'h2', 'refused'));
    await expectIntact();
    await expectAllPing(lab, containers, 1);
  });
});
