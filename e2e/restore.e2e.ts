import { readFile } from 'node:fs/promises';
import { Lab, type Run, signalChild } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, VerifyJson } from './answers.ts';
import { attach, type Container, createNetwork, events, expectAllPing, inContainer, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('a store put back to an older backup', () => {
  let lab: Lab;
  let manager: Run | undefined;
  const directory = '/var/lib/causeway/restored';
  const backup = '/var/lib/causeway/backup';

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'restore', hosts: 2, managers: 1, subnet: '10.87.0.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
  });
  afterAll(async () => {
    await signalChild(manager?.child.pid, 'SIGTERM');
    await lab?.down();
    await manager?.outcome;
  });

  const list = async (): Promise<readonly string[]> => {
    const listed = await lab.json<readonly EndpointJson[]>('h2', 'endpoint', 'list');
    return listed.map(({ name, id, addresses }) => `${name} ${id} ${addresses}`).sort();
  };
  const line = ({ endpoint: { name, id, addresses } }: Container): string => `${name} ${id} ${addresses}`;

  test('containers keep their addresses: hosts claim them again before any new endpoint gets an address', async () => {
    const first = [await attach(lab, 'blue', 'h1', 'first'), await attach(lab, 'blue', 'h2', 'second')] as const;
    await attach(lab, 'blue', 'h2', 'leaver');
    await lab.join('h1', { kind: 'manager', name: 'm1', dataDir: directory });
    await lab.run('h1', 'causeway', 'backup', 'create', backup);
    const late = await attach(lab, 'blue', 'h2', 'late');
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'leaver');
    await createNetwork(lab, 'green', '10.67.0.0/16');
    const stray = await attach(lab, 'green', 'h2', 'stray');

    const flow = await traffic(lab, ...first);
    await lab.kill('h1', 'manager');
    await lab.kill('h1', 'etcd');
    await lab.run('h1', 'causeway', 'backup', 'restore', backup, '--data-dir', directory, '--name', 'm1');
    const flags = ['--name', 'm1', '--listen', `${lab.underlay('h1')}:7443`, '--data-dir', directory];
    manager = await lab.start('h1', ['causeway-manager', ...flags, '--etcd', 'embedded']);
    const early = await attachAtOnce('h1', 'early');
    await flow.end();

    const containers = [...first, late, early];
    await eventually(async () => expect(await list()).toEqual(containers.map(line).sort()));
    await expectAllPing(lab, containers);
    await eventually(async () => expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]));
    for (const host of lab.hosts) {
      expect(await readFile(lab.logPath(host, 'agent'), 'utf8')).toContain('cluster.epoch-changed');
    }

    await eventually(async () => expect(await inContainer(lab, stray, 'ip', '-br', 'link')).not.toContain('eth0'));
    const kinds = (await events(lab)).map(({ kind, endpoint }) => `${kind} ${endpoint ?? ''}`.trim());
    expect(kinds).toEqual(expect.arrayContaining(['cluster.restored', 'cluster.recovered', 'endpoint.refused stray']));
  });

  /** Attaches as soon as the managers allocate anything again. */
  async function attachAtOnce(host: string, name: string): Promise<Container> {
    await lab.run(host, 'ip', 'netns', 'add', name);
    const where = ['--name', name, '--netns', `/run/netns/${name}`, '--wait', 'applied'];
    const endpoint = await eventually(() => lab.json<EndpointJson>(host, 'endpoint', 'attach', 'blue', ...where));
    return { host, netns: name, endpoint };
  }
});
