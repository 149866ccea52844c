import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventJson } from './answers.ts';
import { attach, type Container, createNetwork, expectAllPing, traffic } from './cluster.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('a host whose newest record of its containers is damaged', () => {
  let lab: Lab;
  let peer: Container;
  let newest: Container;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'agent-record', hosts: 2, managers: 1, subnet: '10.94.3.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
    peer = await attach(lab, 'blue', 'h2', 'peer');
    for (const name of ['a1', 'a2', 'a3']) newest = await attach(lab, 'blue', 'h1', name);
  });
  afterAll(() => lab?.down());

  const ready = (): Promise<void> => eventually(async () => expect(await lab.isReady('h1')).toBe(true));

  test('cuts no container off, says which container it has lost, and knows the container after it is attached again', async () => {
    const flow = await traffic(lab, newest, peer);
    await lab.kill('h1', 'agent');
    await lab.sh('h1', 'cd /var/lib/causeway/agent; truncate -s 16 "$(ls -t sandboxes.* | head -1)"');
    await lab.startProcess('h1', 'agent');
    await ready();
    // From here on it has a record, and nothing takes it for a claim without a container.
    const verified = await lab.try('h1', 'causeway', 'verify');
    expect(verified).toMatchObject({ code: 6, stdout: expect.stringMatching(/sandbox +a3/) });
    const sent = await flow.sent();
    await eventually(async () => expect(await flow.sent()).toBeGreaterThan(sent + 6_000));
    await flow.end();

    const words = ['endpoint', 'attach', 'blue', '--name', 'a3', '--netns', '/run/netns/a3'];
    expect(await lab.try('h1', 'causeway', ...words)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('already attached'),
    });
    expect((await lab.try('h1', 'causeway', 'verify')).code).toBe(0);
    await expectAllPing(lab, [newest, peer]);
    const events = await lab.json<readonly EventJson[]>('h1', 'events');
    expect(events.map(({ kind }) => kind)).not.toContain('endpoint.orphaned');
  });

  test('removes a container that has died meanwhile', async () => {
    await lab.kill('h1', 'agent');
    await lab.sh('h1', 'rm /var/lib/causeway/agent/sandboxes.*; ip netns del a3');
    await lab.startProcess('h1', 'agent');
    await ready();
    await eventually(async () => {
      expect((await lab.try('h1', 'causeway', 'endpoint', 'show', 'a3')).code).toBe(3);
    }, 40_000);
    for (const name of ['a1', 'a2']) await lab.run('h1', 'causeway', 'endpoint', 'show', name);
  });
});
