import { readFile } from 'node:fs/promises';
import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkJson, StatusJson } from './answers.ts';
import { createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

const patience = 60_000;
const managerDir = '/var/lib/causeway/manager';

// One story: each test begins with the state that the test before has left.
describeLab('a manager that lost the data of its etcd', () => {
  let lab: Lab;
  let cluster: string;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'store-lost', hosts: 3, managers: 3, etcd: 'embedded', subnet: '10.101.0.0/24' });
    await createNetwork(lab, 'first', '10.66.0.0/16');
    await eventually(async () => expect(await healthy('h1')).toEqual(['h1', 'h2', 'h3']), patience);
    cluster = await eventually(() => clusterOf('h3'), patience);
  });
  afterAll(async () => {
    await lab?.down();
  });

  const at = (host: string): readonly string[] => ['--managers', `${lab.underlay(host)}:7443`, '--timeout', '4s'];
  /** Reads the data also if the command says that no change is possible. */
  const statusAt = async (host: string): Promise<StatusJson & { readonly cluster?: string }> => {
    const { stdout } = await lab.try(host, 'causeway', ...at(host), 'status', '-o', 'json');
    return JSON.parse(stdout) as StatusJson & { readonly cluster?: string };
  };
  const clusterOf = async (host: string): Promise<string> =>
    String((JSON.parse(await lab.run(host, 'cat', `${managerDir}/cluster.json`)) as { clusterId: string }).clusterId);
  const healthy = async (host: string): Promise<readonly string[]> =>
    (await statusAt(host)).etcd.members.flatMap((member) => (member.healthy ? [member.name] : [])).sort();
  const networksAt = async (host: string): Promise<readonly string[]> =>
    (await lab.json<readonly NetworkJson[]>(host, ...at(host), 'network', 'list')).map(({ name }) => name).sort();
  const logOf = (host: string): Promise<string> => readFile(lab.logPath(host, 'manager'), 'utf8');
  const lose = async (host: string): Promise<void> => {
    await lab.kill(host, 'manager');
    await lab.sh(host, `cd ${managerDir} && find . -mindepth 1 ! -path './identity*' ! -name sealing-key.json -delete`);
  };

  test('founds no second cluster while the others have no majority, and the others go over to nothing', async () => {
    await lab.kill('h3', 'manager', 'STOP');
    await eventually(() => createNetwork(lab, 'acknowledged', '10.67.0.0/16'), patience);
    await lab.kill('h2', 'manager');
    await lose('h1');
    await lab.kill('h3', 'manager', 'CONT');
    await lab.startProcess('h1', 'manager');
    await eventually(async () => expect(await logOf('h1')).toContain('etcd.join-waiting'), patience);
    expect((await lab.try('h1', 'causeway', ...at('h1'), 'network', 'list')).code).not.toBe(0);
    expect((await lab.try('h1', 'pgrep', '-x', 'etcd')).code).not.toBe(0);
    expect(await logOf('h3')).not.toContain('store.history-gone');
    expect(await clusterOf('h3')).toBe(cluster);
  });

  test('is taken back as a new member when there is a majority, and nothing acknowledged is lost', async () => {
    await lab.startProcess('h2', 'manager');
    await eventually(async () => {
      for (const host of ['h1', 'h2', 'h3']) {
        expect(await healthy(host)).toEqual(['h1', 'h2', 'h3']);
        expect(await networksAt(host)).toEqual(['acknowledged', 'first']);
      }
      expect(await clusterOf('h1')).toBe(cluster);
    }, patience);
    expect(await logOf('h1')).toContain('etcd.leftover-removed');
    await createNetwork(lab, 'after', '10.68.0.0/16');
  });

  test('also while the others are well: never as the voter that it was', async () => {
    await lose('h2');
    await lab.startProcess('h2', 'manager');
    await eventually(async () => expect(await healthy('h2')).toEqual(['h1', 'h2', 'h3']), patience);
    expect(await logOf('h2')).toContain('etcd.leftover-removed');
    expect(await networksAt('h2')).toEqual(['acknowledged', 'after', 'first']);
  });

  test('started without --join and without the managers that it has known, ends and names both ways to start', async () => {
    await lose('h1');
    await lab.run('h1', 'rm', `${managerDir}/identity/membership.json`);
    const flags = ['--name', 'h1', '--listen', `${lab.underlay('h1')}:7443`, '--data-dir', managerDir];
    const { code, stderr } = await lab.try('h1', 'causeway-manager', ...flags, '--etcd', 'embedded');
    expect(code).toBe(2);
    expect(stderr).toMatch(/causeway-manager init .*--join/);
    expect(await networksAt('h3')).toEqual(['acknowledged', 'after', 'first']);
  });
});
