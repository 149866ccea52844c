import { Lab, type Run, signalChild } from '@causeway/lab/io';
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
const dataDir = '/var/lib/causeway/manager';
const files = ['--cert', `${stolen}/identity.pem`, '--key', `${stolen}/identity.pem`, '--cacert', `${stolen}/ca.pem`];

const served = ['-cert', `${stolen}/identity.pem`, '-key', `${stolen}/identity.pem`, '-CAfile', `${stolen}/ca.pem`];
const whyRefused = /manager\/h3 was removed from the cluster on \S+ to come back, it must join again with a new token/;
/** A message of gRPC: a byte, and the length, which is 0. */
const emptyMessage = '/run/empty';
/** For node --require: a clock that is 40 days ahead. */
const ahead = '/run/ahead.cjs';
const clockAhead = 'const now = Date.now; Date.now = () => now() + 40 * 24 * 3_600_000;';

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

  test('makes itself a new certificate when it starts and its own is not valid, and is refused with that, too', async () => {
    await eventually(async () => expect(await lab.processes('h3', 'manager')).toEqual([]), refusedWithin);
    // By a clock that is ahead the present certificate has expired, and by the right clock the one is not valid that is made instead.
    await lab.sh('h3', `echo '${clockAhead}' > ${ahead}`);
    const recover = ['causeway-manager', 'recover', '--data-dir', dataDir, '--operator-dir', '/run/thief'];
    await lab.run('h3', 'env', `NODE_OPTIONS=--require ${ahead}`, ...recover);
    const before = await lab.run('h3', 'cat', `${dataDir}/identity/identity.pem`);
    await lab.startProcess('h3', 'manager');
    const made = async (): Promise<string> => lab.run('h3', 'cat', `${dataDir}/identity/identity.pem`);
    await eventually(async () => expect(await made()).not.toBe(before));
    await lab.sh('h3', `rm -r ${stolen}; cp -r ${dataDir}/identity ${stolen}`);
    await lab.kill('h3', 'manager');
    for (const host of ['h1', 'h2']) expect(await called(host)).toMatch(whyRefused);
  });

  /** What a manager answers to a call with the stolen credential. */
  const called = async (host: string): Promise<string> => {
    await lab.sh('h3', `printf '\\0\\0\\0\\0\\0' > ${emptyMessage}`);
    const url = `https://${lab.underlay(host)}:7443/causeway.v1.ClusterService/GetStatus`;
    const asGrpc = [
      '--http2',
      '-H',
      'content-type: application/grpc',
      '-H',
      'te: trailers',
      '--data-binary',
      `@${emptyMessage}`,
    ];
    return decodeURIComponent(await lab.run('h3', 'curl', '-sSki', '--max-time', '3', ...files, ...asGrpc, url));
  };

  test('is not trusted by operators and agents with that', async () => {
    const server = await lab.start('h3', [
      'openssl',
      's_server',
      '-quiet',
      '-accept',
      '7443',
      '-alpn',
      'h2',
      ...served,
    ]);
    const ask = ['causeway', '--managers', lab.underlay('h3'), 'status'];
    await eventually(async () => expect((await lab.try('h1', ...ask)).stderr).toMatch(whyRefused));
    await signalChild(server.child.pid, 'SIGTERM');
    await server.outcome;
    for (const host of lab.hosts) {
      const known = await lab.run(host, 'cat', '/var/lib/causeway/agent/identity/removed-managers.json');
      expect(JSON.parse(known)).toEqual([{ name: 'h3', at: expect.any(Number), isUntilJoin: true }]);
    }
  });

  test('and the others go on', async () => {
    await eventually(async () => expect(await healthy()).toEqual(['h1', 'h2']), patience);
    await createNetwork(lab, 'after', '10.67.0.0/16');
  });
});
