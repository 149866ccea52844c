import { randomUUID } from 'node:crypto';
import { Lab } from '@causeway/lab/io';
import { callUnary } from '@causeway/proto/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAgent } from './agent-api.ts';
import type { EndpointJson } from './answers.ts';
import { attach, createNetwork, expectAllPing } from './cluster.ts';
import { describeLab } from './requirements.ts';

/** Enough rounds for a refusal to be certain if a dead container could block an attach. */
const rounds = 150;

describeLab('an attach', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'agent-again', hosts: 1, managers: 1, subnet: '10.94.2.0/24' });
    await createNetwork(lab, 'blue', '10.66.0.0/16');
  });
  afterAll(() => lab?.down());

  const words = ['endpoint', 'attach', 'blue', '--name', 'web', '--netns', '/var/run/netns/web'];

  test('said again, also by another path and after a restart of the agent, answers with what is there', async () => {
    const { endpoint } = await attach(lab, 'blue', 'h1', 'web');
    await lab.kill('h1', 'agent');
    await lab.startProcess('h1', 'agent');
    const { code, stdout, stderr } = await lab.try('h1', 'causeway', ...words, '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('endpoint web was already attached') });
    const said = JSON.parse(stdout) as EndpointJson;
    expect({ id: said.id, addresses: said.addresses }).toEqual({ id: endpoint.id, addresses: endpoint.addresses });
    const other = await lab.try('h1', 'causeway', ...words, '--ifname', 'eth1');
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('its ifname is eth0, not eth1') });
  });

  test(`of a container that restarts under its name, ${rounds} times, is never refused`, async () => {
    const peer = await attach(lab, 'blue', 'h1', 'peer');
    const place = { network: 'blue', name: 'web', netns: '/run/netns/web', ifname: '' };
    const request = { ...place, addresses: [], labels: {}, gatewayPriority: 0 };
    await withAgent(lab, 'h1', async (client) => {
      const call = client.attach.bind(client);
      for (let round = 0; round < rounds; round++) {
        await lab.sh('h1', 'ip netns del web; ip netns add web');
        await callUnary(call, { requestId: randomUUID(), ...request }, { timeout: 10_000 });
      }
    });
    const endpoints = await lab.json<EndpointJson[]>('h1', 'endpoint', 'list', 'blue');
    expect(endpoints.map(({ name }) => name).sort()).toEqual(['peer', 'web']);
    const web = endpoints.find(({ name }) => name === 'web');
    if (web === undefined) throw new Error('web is gone');
    await expectAllPing(lab, [peer, { host: 'h1', netns: 'web', endpoint: web }]);
    expect((await lab.try('h1', 'causeway', 'verify')).code).toBe(0);
  });
});
