import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentStatus } from './agent-api.ts';
import type { EndpointJson, StatusJson, VerifyJson } from './answers.ts';
import { attach, type Container, createNetwork, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';
import { Lab } from './topology.ts';

/** `npm run chaos -- failover` has twenty, and a minute; here is what must hold however busy the machine is. */
const rounds = 3;
const outage = 15_000;
const patience = 60_000;

describeLab('failover with three managers and three etcd members', () => {
  let lab: Lab;
  let containers: readonly [Container, Container];
  let attached = 0;

  beforeAll(async () => {
    lab = await Lab.up('failover-e2e', { hosts: 4, managers: 3, subnet: '10.98.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    containers = [await attach(lab, 'blue', 'h3', 'flow-a'), await attach(lab, 'blue', 'h4', 'flow-b')];
    await whole();
  });
  afterAll(() => lab?.down());

  const status = (): Promise<StatusJson> => lab.json<StatusJson>('h4', 'status');
  const leads: Readonly<Record<'manager' | 'etcd', (seen: StatusJson) => string | undefined>> = {
    manager: ({ leader }) => leader?.node,
    etcd: ({ etcd }) => etcd.members.find(({ leader }) => leader)?.name,
  };

  /** All managers and members are there and well, and every host is heard of. */
  function whole(): Promise<void> {
    return eventually(async () => {
      const { managers, etcd, hosts } = await status();
      expect(managers.map(({ state }) => state).sort()).toEqual(['leader', 'standby', 'standby']);
      expect(etcd.members.filter(({ healthy }) => healthy)).toHaveLength(3);
      expect(hosts).toEqual({ ready: 4, total: 4 });
    }, patience);
  }

  test.each<[string, 'manager' | 'etcd', string]>([
    ['the leader killed', 'manager', 'KILL'],
    ['the leader asked to stop', 'manager', 'TERM'],
    ['the etcd leader killed', 'etcd', 'KILL'],
  ])('%s: attach works again, whoever is asked', async (what, kind, signal) => {
    for (let round = 1; round <= rounds; round++) {
      const leader = leads[kind](await status()) ?? '';
      await lab.kill(leader, kind, signal);
      const began = performance.now();
      const name = `c${attached++}`;
      await lab.run('h4', 'ip', 'netns', 'add', name);
      const where = ['--name', name, '--netns', `/run/netns/${name}`];
      // One call: waiting out an election is its business, not the caller's.
      await lab.json<EndpointJson>('h4', 'endpoint', 'attach', 'blue', ...where, '--timeout', '30s');
      console.info(`${what}, ${round} of ${rounds}: attached after ${(performance.now() - began).toFixed(0)} ms`);
      await eventually(async () => expect(leads[kind](await status())).not.toBe(leader), patience);
      await lab.startProcess(leader, kind);
      await whole();
    }
  });

  test('all managers down: not a packet is lost, and agents come up from their ledger without a write', async () => {
    const flows = [await traffic(lab, ...containers), await traffic(lab, containers[1], containers[0])];
    const managers = ['h1', 'h2', 'h3'];
    await Promise.all(managers.map((host) => lab.kill(host, 'manager')));
    await sleep(outage / 2);
    for (const { host } of containers) {
      await lab.kill(host, 'agent');
      await lab.startProcess(host, 'agent');
    }
    for (const { host } of containers) {
      await eventually(async () => {
        const { networks, manager } = await agentStatus(lab, host);
        expect(manager).toBe('');
        expect(networks.map(({ network }) => network)).toEqual(['blue']);
      });
    }
    await sleep(outage / 2);
    for (const { host } of containers) expect((await agentStatus(lab, host)).kernelWrites).toBe(0n);
    await Promise.all(managers.map((host) => lab.startProcess(host, 'manager')));
    await whole();
    for (const { host } of containers) expect((await agentStatus(lab, host)).kernelWrites).toBe(0n);
    for (const flow of flows) {
      console.info(`all managers down for ${outage / 1000} s: ${await flow.end()} packets, none lost`);
    }
    await eventually(async () => expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]));
  });
});
