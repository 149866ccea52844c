import { Lab, type Run, signalChild } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkJson } from './answers.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('a manager with its own etcd', () => {
  let lab: Lab;
  let manager: Run | undefined;
  // The lab runs no etcd on h2, so the ports are free for the embedded one.
  const host = 'h2';
  const address = '10.96.0.2:7450';
  const directory = '/var/lib/causeway/solo';
  const operator = '/var/lib/causeway/operator';
  const there = ['--managers', address, '--context', operator] as const;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'embedded', hosts: 2, managers: 1, subnet: '10.96.0.0/24' });
    const init = ['--name', 'solo', '--data-dir', directory, '--operator-dir', operator];
    await lab.run(host, 'causeway-manager', 'init', ...init);
  });
  afterAll(async () => {
    await lab?.down();
    await manager?.outcome;
  });

  const startManager = async (): Promise<void> => {
    const flags = ['--name', 'solo', '--listen', address, '--data-dir', directory, '--etcd', 'embedded'];
    manager = await lab.start(host, ['causeway-manager', ...flags]);
  };
  const signalManager = (signal: NodeJS.Signals) => signalChild(manager?.child.pid, signal);
  const networks = async (): Promise<readonly string[]> => {
    const listed = await lab.json<readonly NetworkJson[]>(host, ...there, 'network', 'list');
    return listed.map((network) => network.name);
  };
  const create = (name: string, subnet: string) =>
    lab.run(host, 'causeway', ...there, 'network', 'create', name, '--subnet', subnet);
  const etcdRuns = async (): Promise<boolean> => (await lab.try(host, 'pgrep', '-x', 'etcd')).code === 0;

  test('an acknowledged network survives a kill -9', async () => {
    await startManager();
    await eventually(networks);
    await create('before', '10.70.0.0/16');
    await signalManager('SIGKILL');
    expect((await manager?.outcome)?.code).toBe(137);
    await startManager();
    await eventually(async () => expect(await networks()).toEqual(['before']));
    await create('after', '10.71.0.0/16');
    expect(await networks()).toEqual(['after', 'before']);
  });

  test('starts its etcd again when that is killed', async () => {
    await lab.run(host, 'pkill', '-KILL', '-x', 'etcd');
    await eventually(async () => expect(await networks()).toEqual(['after', 'before']));
    await eventually(() => create('revived', '10.72.0.0/16'));
  });

  test('ends with it on SIGTERM, and comes back with everything', async () => {
    await signalManager('SIGTERM');
    expect((await manager?.outcome)?.code).toBe(0);
    expect(await etcdRuns()).toBe(false);
    await startManager();
    await eventually(async () => expect(await networks()).toEqual(['after', 'before', 'revived']));
  });
});
