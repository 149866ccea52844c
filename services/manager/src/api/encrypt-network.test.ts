import { nodeKeysToMessage } from '@causeway/proto';
import { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { HostReport, KeyReceipt } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { HostHealth, type Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, test } from 'vitest';
import { claim, cluster, codeOf, connect, createNetwork, manager, uuid } from '../testing/manager-fixture.ts';
import type { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNodeKeys } from '../testing/view-script.ts';

let agents: MemoryAgent[];

beforeEach(async () => {
  await createNetwork();
  agents = [];
  for (const n of [1, 2]) {
    const agent = await connect(n);
    agents.push(agent);
    await claim(`e${n}`, n);
  }
});

async function update(fields: Partial<UpdateNetworkRequest>): Promise<Network | undefined> {
  const request = UpdateNetworkRequest.create({ requestId: uuid(), network: 'blue', ...fields });
  const { network } = await cluster.answer(manager.api.network.updateNetwork(request, cluster.call()));
  await cluster.settle();
  return network;
}

async function now(): Promise<string> {
  await cluster.clock.advance(seconds(3));
  const { network } = await manager.api.network.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call());
  const condition = network?.conditions.find(({ type }) => type === 'Settled');
  return `${network?.driver}${condition === undefined ? '' : `: ${condition.message}`}`;
}

/** The first host says why it cannot encrypt. */
async function reportHealth(cannotEncrypt: string): Promise<void> {
  const [one] = agents as [MemoryAgent];
  one.say({ oneofKind: 'report', report: HostReport.create({ health: HostHealth.create({ cannotEncrypt }) }) });
  await cluster.settle();
}

/** Hosts publish keys, and say that each sends to the other. */
async function exchangeKeys(): Promise<void> {
  for (const [i, agent] of agents.entries()) {
    agent.say({ oneofKind: 'keys', keys: { ...nodeKeysToMessage(scriptNodeKeys(i + 1, 0)), nodeId: '', index: 0 } });
    await cluster.settle();
  }
  for (const [i, agent] of agents.entries()) {
    const pair = { sender: 1n, receiver: 1n };
    const receipt = KeyReceipt.create({ nodeId: nodeId(2 - i), version: 1n, receives: [pair], sends: pair });
    agent.say({ oneofKind: 'receipts', receipts: { receipts: [receipt] } });
    await cluster.settle();
  }
}

describe('a network in use', () => {
  test('is encrypted when all hosts have applied each step, and send to each other with SAs', async () => {
    const begun = await update({ encrypt: true });
    expect(begun).toMatchObject({ driver: 'dual-overlay', becomes: 'encrypted-overlay', encrypted: false, mtu: 1416 });
    expect(await now()).toBe(
      'dual-overlay: it becomes encrypted-overlay, and is dual-overlay now: h1 has no SA with which it may send to h2; h2 has no SA with which it may send to h1',
    );
    const [, two] = agents as [MemoryAgent, MemoryAgent];
    two.appliesAtOnce = false;
    await exchangeKeys();
    expect(await now()).toContain('is dual-encrypted-overlay now: h2 has not applied it');
    two.hangUp();
    await cluster.settle();
    expect(await now()).toContain('is dual-encrypted-overlay now: h2 has no session');
    await connect(2);
    expect(await now()).toBe('encrypted-overlay');
    expect(manager.view.networkNamed('blue' as never)?.value.change).toBeUndefined();
  });

  test('is not encrypted any more, and keeps its MTU', async () => {
    await exchangeKeys();
    await update({ encrypt: true });
    expect(await now()).toBe('encrypted-overlay');
    expect(await update({ noEncrypt: true })).toMatchObject({ driver: 'dual-encrypted-overlay', becomes: 'overlay' });
    expect(await now()).toBe('overlay');
    expect(manager.view.networkNamed('blue' as never)?.value.mtu).toMatchObject({ bytes: 1416 });
  });

  test('turns back at once, as long as no host sends in ESP', async () => {
    await update({ encrypt: true });
    expect(await update({ noEncrypt: true })).toMatchObject({ driver: 'overlay', becomes: '' });
  });

  test('that is encrypted gets no endpoint on a host that has said that it cannot encrypt', async () => {
    await reportHealth('its kernel has no ESP');
    await claim('plain', 1);
    await reportHealth('');
    await update({ encrypt: true });
    await reportHealth('its kernel has no ESP');
    const refused = await claim('late', 1).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      ...{ code: 'encryption-unavailable', kind: 'unsupported' },
      message: expect.stringContaining(
        'network blue is encrypted, and this host cannot encrypt: its kernel has no ESP',
      ),
    });
    await claim('late', 2);
    await reportHealth('');
    await claim('later', 1);
  });

  test('is not encrypted while one of its hosts cannot', async () => {
    await reportHealth('its kernel has no ESP');
    const request = UpdateNetworkRequest.create({ requestId: uuid(), network: 'blue', encrypt: true });
    const failure = await manager.api.network.updateNetwork(request, cluster.call()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'encryption-unavailable', data: { field: 'encrypt', hosts: 'h1' } });
    expect(await update({ mtu: 1400 })).toMatchObject({ driver: 'overlay' });
  });

  test('cannot be both', async () => {
    const request = UpdateNetworkRequest.create({ requestId: uuid(), network: 'blue', encrypt: true, noEncrypt: true });
    expect(await codeOf(manager.api.network.updateNetwork(request, cluster.call()))).toBe('invalid-argument');
  });

  test('keeps a fixed MTU only if hosts can carry it in ESP', async () => {
    await update({ mtu: 1450 });
    const request = UpdateNetworkRequest.create({ requestId: uuid(), network: 'blue', encrypt: true });
    expect(await codeOf(manager.api.network.updateNetwork(request, cluster.call()))).toBe('mtu-too-large');
    expect(await update({ encrypt: true, mtu: 1400 })).toMatchObject({ driver: 'dual-overlay', mtu: 1400 });
  });
});
