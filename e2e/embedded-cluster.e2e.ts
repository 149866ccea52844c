import { Lab, type Outcome, type Run } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, StatusJson } from './answers.ts';
import { createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

/** etcd counts a member as connected only after 5 s of connection, and a crashed manager stays listed for 15 s. */
const patience = 60_000;

/** ms. For a command that has its answer after 2 s: this machine may be busy. */
const soon = 15_000;

// One story: each test begins with the state that the test before has left.
describeLab('managers whose embedded etcds are one cluster', () => {
  let lab: Lab;
  let added: Run | undefined;

  beforeAll(async () => {
    lab = await Lab.replace({
      name: 'embedded-cluster',
      hosts: 4,
      managers: 3,
      etcd: 'embedded',
      subnet: '10.97.0.0/24',
    });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
  });
  afterAll(async () => {
    await lab?.down();
    await added?.outcome;
  });

  /** Reads the status also if the command fails because there is no majority: it prints its data anyway. */
  const status = async (): Promise<StatusJson> => {
    const { stdout } = await lab.try('h4', 'causeway', 'status', '-o', 'json');
    return JSON.parse(stdout) as StatusJson;
  };
  const states = ({ managers }: StatusJson): Record<string, string> =>
    Object.fromEntries(managers.map(({ name, state }) => [name, state]));
  const healthy = ({ etcd }: StatusJson): readonly string[] =>
    etcd.members.flatMap((member) => (member.healthy ? [member.name] : [])).sort();
  const leader = async (): Promise<string> => {
    const node = (await status()).leader?.node;
    if (node === undefined) throw new Error('no manager leads');
    return node;
  };
  const claim = async (name: string): Promise<void> => {
    await lab.try('h4', 'ip', 'netns', 'add', name);
    const where = ['--name', name, '--netns', `/run/netns/${name}`];
    await eventually(() => lab.json<EndpointJson>('h4', 'endpoint', 'attach', 'blue', ...where), patience);
  };
  const remove = (name: string, ...options: string[]): Promise<Outcome> =>
    lab.try('h4', 'causeway', 'manager', 'remove', name, ...options);

  test('the first begins the cluster, the others join and vote', async () => {
    await eventually(async () => {
      const seen = await status();
      expect(Object.values(states(seen)).sort()).toEqual(['leader', 'standby', 'standby']);
      expect(healthy(seen)).toEqual(['h1', 'h2', 'h3']);
      expect(seen.hosts).toMatchObject({ ready: 4, total: 4 });
    }, patience);
  });

  let dead: string;
  let rest: readonly string[];

  test('the leader’s host is lost with its etcd member: claims go on, and status says what is down', async () => {
    dead = await leader();
    rest = ['h1', 'h2', 'h3'].filter((name) => name !== dead);
    await lab.kill(dead, 'manager');
    // A killed process is listed until its parent has waited for it.
    await eventually(async () => expect((await lab.try(dead, 'pgrep', '-x', 'etcd')).code).not.toBe(0));
    await claim('after-loss');
    const seen = await status();
    expect(states(seen)[dead]).toBe('unreachable');
    expect(healthy(seen)).toEqual(rest);
  });

  test('a removal that would lose the majority is refused with the reason, and the dead manager can be removed', async () => {
    const { code, stderr } = await remove(rest[0] ?? '');
    expect(code).toBe(4);
    expect(stderr).toContain(`2 of 3 members are healthy; removing ${rest[0]} leaves 1 healthy of 2, and 2 are needed`);
    await eventually(async () => expect((await remove(dead)).code).toBe(0), patience);
    expect((await remove(dead)).code).toBe(3);
    expect((await status()).etcd.members.map(({ name }) => name).sort()).toEqual(rest);
  });

  test('another joins in its place', async () => {
    const address = `${lab.underlay('h4')}:7443`;
    const join = rest.map((name) => `${lab.underlay(name)}:7443`).join(',');
    const flags = ['--name', 'h4', '--listen', address, '--data-dir', '/var/lib/causeway/manager', '--join', join];
    await eventually(() => lab.join('h4', { kind: 'manager' }), patience);
    added = await lab.start('h4', ['causeway-manager', ...flags]);
    await eventually(async () => {
      const seen = await status();
      expect(healthy(seen)).toEqual([...rest, 'h4']);
      expect(states(seen)['h4']).toBe('standby');
    }, patience);
  });

  test('without a majority status shows what is known, and --force removes no member', async () => {
    const [gone = '', left = ''] = rest;
    await lab.kill(gone, 'manager');
    await lab.run('h4', 'pkill', '-KILL', '-f', 'bin/causeway-manager');
    await lab.run('h4', 'pkill', '-KILL', '-x', 'etcd');
    await eventually(async () => {
      const { code, stdout, stderr } = await lab.try(left, 'causeway', 'status', '-o', 'json');
      expect(code).toBe(5);
      expect(stderr).toContain('etcd has no majority: 0 of 3 members are healthy, and 2 are needed');
      const seen = JSON.parse(stdout) as StatusJson;
      expect(seen.etcd.members).toHaveLength(3);
      expect(states(seen)[left]).toBe('standby');
    }, patience);
    for (const options of [[], ['--force']]) {
      const { code, stderr } = await remove(gone, '--timeout', '20s', ...options);
      expect(code).toBe(4);
      expect(stderr).toContain(
        'etcd has no majority: 0 of 3 members are healthy and 2 have to agree on a removal, with --force too',
      );
    }
    const lines = ['verify', 'events', 'network create late', 'endpoint detach after-loss'];
    for (const line of lines) {
      const began = performance.now();
      const { code, stderr } = await lab.try(left, 'causeway', ...line.split(' '), '--timeout', '60s');
      expect(stderr).toContain('etcd has no majority: 0 of 3 members are healthy, and 2 are needed');
      expect({ line, code, soon: performance.now() - began < soon }).toEqual({ line, code: 5, soon: true });
    }
    await lab.startProcess(gone, 'manager');
    await claim('after-return');
  });
});
