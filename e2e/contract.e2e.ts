import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson } from './answers.ts';
import { causeway, labStatus } from './causeway.ts';
import { attach, type Container, expectAllPing } from './cluster.ts';
import { describeLab } from './requirements.ts';

// The commands that scripts may rely on, literally, with their output and exit codes.
describeLab('the contract for scripts', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.replace({ name: 'contract', hosts: 3, managers: 1, subnet: '10.91.0.0/24' });
  });
  afterAll(() => lab?.down());

  async function exec(line: string): Promise<{ code: number; stdout: string; json: unknown }> {
    const { code, stdout } = await causeway('lab', 'exec', '--name', 'contract', ...line.split(' '));
    return { code, stdout, json: stdout.startsWith('{') ? JSON.parse(stdout) : undefined };
  }

  test('lab status shows hosts, readiness and processes', async () => {
    const process = (kind: string) => ({
      kind,
      pid: expect.any(Number),
      running: true,
      log: expect.stringContaining(`/${kind}.log`),
    });
    expect(await labStatus('contract')).toEqual({
      name: 'contract',
      hosts: [
        { name: 'h1', underlay: '10.91.0.1', ready: true, processes: ['etcd', 'manager', 'agent'].map(process) },
        { name: 'h2', underlay: '10.91.0.2', ready: true, processes: [process('agent')] },
        { name: 'h3', underlay: '10.91.0.3', ready: true, processes: [process('agent')] },
      ],
    });
  });

  test('status', async () => {
    const { code, json } = await exec('h2 -- causeway status -o json');
    expect(code).toBe(0);
    const member = { name: 'h1', healthy: true, leader: true, learner: false, lag: expect.any(Number), alarms: [] };
    const manager = { name: 'h1', address: '10.91.0.1:7443', state: 'leader', leader: true, lag: expect.any(Number) };
    expect(json).toMatchObject({
      cluster: { id: expect.stringMatching(/^[0-9a-f]{16}$/), epoch: 1, revision: expect.any(Number) },
      leader: { node: 'h1', term: expect.any(Number), since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
      managers: [manager],
      etcd: { members: [member], revision: expect.any(Number) },
      hosts: { ready: 3, total: 3 },
      drift: 0,
    });
  });

  test('create, attach, show, verify, detach', async () => {
    const created = await exec('h1 -- causeway network create blue --subnet 10.66.0.0/16 --subnet fd66::/64 -o json');
    expect(created.code).toBe(0);
    expect(created.json).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'blue',
      vni: expect.any(Number),
      mtu: 1450,
      subnets: [
        { prefix: '10.66.0.0/16', gateway: '10.66.0.1' },
        { prefix: 'fd66::/64', gateway: 'fd66::1' },
      ],
      revision: expect.any(Number),
    });

    expect((await exec('h2 -- ip netns add web')).code).toBe(0);
    const attached = await exec(
      'h2 -- causeway endpoint attach blue --name web --netns /run/netns/web --ifname eth0 --ip 10.66.0.9 --wait applied --timeout 5s -o json',
    );
    expect(attached.code).toBe(0);
    expect(attached.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'web',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      network: 'blue',
      host: 'h2',
      addresses: ['10.66.0.9/16', 'fd66::9/64'],
      mac: '02:42:0a:42:00:09',
      revision: expect.any(Number),
      applied: { have: 1, want: 1 },
    });

    const shown = await exec('h1 -- causeway endpoint show web -o json');
    expect(shown.json).toEqual({
      ...(attached.json as EndpointJson),
      labels: {},
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'Programmed', status: 'true', reason: 'AllApplied' }),
      ]),
      applied: { have: 1, want: 1, waiting: [], unreachable: [], p99Ms: expect.any(Number) },
    });

    const verified = await exec('h3 -- causeway verify -o json');
    expect(verified.code).toBe(0);
    expect(verified.json).toMatchObject({ drift: [] });

    expect((await exec('h2 -- causeway endpoint detach web')).code).toBe(0);
    expect((await exec('h2 -- causeway endpoint detach web')).code).toBe(3);
    expect((await exec('h1 -- causeway endpoint show web')).code).toBe(3);
    expect((await exec('h2 -- ip -n web link show eth0')).code).not.toBe(0);
    expect((await exec('h1 -- causeway network delete blue')).code).toBe(0);
  });

  test('one namespace on each host: all reach all, over IPv4 and IPv6', async () => {
    await exec('h1 -- causeway network create green --subnet 10.67.0.0/16 --subnet fd67::/64');
    const containers: Container[] = [];
    for (const host of lab.hosts) containers.push(await attach(lab, 'green', host, `green-${host}`));
    await expectAllPing(lab, containers);
    expect((await lab.json<EndpointJson>('h1', 'endpoint', 'show', 'green-h1')).applied).toMatchObject({
      have: 3,
      want: 3,
      waiting: [],
      unreachable: [],
    });
  });
});
