import { Lab, type Run } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusJson } from './answers.ts';
import { createNetwork } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

const patience = 60_000;
/** A removed member is refused everywhere within this time, ms. */
const refusedWithin = 15_000;
/** The credential of the removed manager, as a thief has it. */
const stolen = '/run/stolen';
const files = ['--cert', `${stolen}/identity.pem`, '--key', `${stolen}/identity.pem`, '--cacert', `${stolen}/ca.pem`];

// One story: each test begins with the state that the test before has left.
describeLab('a removed manager whose certificate is still valid', () => {
  let lab: Lab;
  let watching: Run;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'mgr-removed', hosts: 3, managers: 3, etcd: 'embedded', subnet: '10.105.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    await eventually(async () => expect(await healthy()).toEqual(['h1', 'h2', 'h3']), patience);
    await lab.sh('h3', `cp -r /var/lib/causeway/manager/identity ${stolen}`);
  });
  afterAll(async () => {
    await lab?.down();
    await watching?.outcome;
  });

  const healthy = async (): Promise<readonly string[]> => {
    const { stdout } = await lab.try('h1', 'causeway', 'status', '-o', 'json');
    const { etcd } = JSON.parse(stdout) as StatusJson;
    return etcd.members.flatMap((member) => (member.healthy ? [member.name] : [])).sort();
  };
  const etcdctl = (host: string, ...words: readonly string[]): readonly string[] => {
    const limits = ['--dial-timeout', '2s', '--command-timeout', '2s'];
    return ['etcdctl', '--endpoints', `https://${lab.underlay(host)}:2379`, ...files, ...limits, ...words];
  };
  /** By the stolen credential: the outcomes of a read as a client of etcd, and of a request as a member of etcd. */
  const reaches = async (host: string): Promise<readonly string[]> => {
    const client = await lab.try('h3', ...etcdctl(host, 'get', '--prefix', '--keys-only', '--limit', '1', '/'));
    const url = `https://${lab.underlay(host)}:2380/version`;
    const peer = await lab.try('h3', 'curl', '-sS', '--http1.1', '--max-time', '3', ...files, url);
    return [client, peer].map(({ code, stderr }) => (code === 0 ? 'admitted' : `refused: ${stderr.trim()}`));
  };

  test('could read the etcds of the others before, and is connected to them', async () => {
    for (const host of ['h1', 'h2']) expect(await reaches(host)).toEqual(['admitted', 'admitted']);
    watching = await lab.start('h3', etcdctl('h1', 'watch', '--prefix', '/'));
  });

  test('is refused by the etcd of every other manager, as a client and as a member', async () => {
    expect(await lab.try('h1', 'causeway', 'manager', 'remove', 'h3')).toMatchObject({ code: 0 });
    for (const host of ['h1', 'h2'])
      await eventually(async () => {
        for (const outcome of await reaches(host)) expect(outcome).toMatch(/^refused/);
      }, refusedWithin);
  });

  test('loses the connections that it had', async () => {
    const connected = async (): Promise<string> =>
      lab.run('h1', 'ss', '-Htn', 'state', 'established', 'dst', lab.underlay('h3'));
    await eventually(async () => expect(await connected()).not.toMatch(/:(2379|2380)\s/), refusedWithin);
  });

  test('and the others go on', async () => {
    await eventually(async () => expect(await healthy()).toEqual(['h1', 'h2']), patience);
    await createNetwork(lab, 'after', '10.67.0.0/16');
  });
});
