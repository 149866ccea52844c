import { nodeKeysToMessage } from '@causeway/proto';
import { GetCryptoStatusRequest, type RotateKeysResponse } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { CryptoResult, PeerSas } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { claim, cluster, codeOf, connect, manager, uuid } from '../testing/manager-fixture.ts';
import type { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNodeKeys } from '../testing/view-script.ts';

async function createNetwork(encrypt: boolean): Promise<void> {
  const subnets = [Subnet.create({ prefix: '10.66.0.0/16' })];
  const request = CreateNetworkRequest.create({ requestId: uuid(), name: 'blue', subnets, encrypt });
  await cluster.answer(manager.api.network.createNetwork(request, cluster.call()));
}

/** Hosts 1 to n with an endpoint each, and keys of generation 1. */
async function hosts(n: number, encrypt = true): Promise<MemoryAgent[]> {
  await createNetwork(encrypt);
  const agents: MemoryAgent[] = [];
  for (let i = 1; i <= n; i++) {
    const agent = await connect(i);
    agents.push(agent);
    await claim(`e${i}`, i);
    agent.say({ oneofKind: 'keys', keys: { ...nodeKeysToMessage(scriptNodeKeys(i, 0)), nodeId: '', index: 0 } });
    await cluster.settle();
    await publish(agent, i, 1, 1);
  }
  return agents;
}

/** The host offers these generations. */
async function publish(agent: MemoryAgent, n: number, version: number, ...generations: number[]): Promise<void> {
  const index = manager.view.records('nodeKeys').get({ id: nodeId(n) })?.value.index ?? 0;
  const offered = generations.map((generation) => ({
    generation,
    publicKey: new Uint8Array(32).fill(n),
    createdAt: 1,
  }));
  const keys = { ...scriptNodeKeys(n, version), index, generations: offered };
  agent.say({ oneofKind: 'keys', keys: { ...nodeKeysToMessage(keys), nodeId: '' } });
  await cluster.settle();
}

/** Answers the questions that the agent was asked since the last call. */
async function answer(
  agent: MemoryAgent,
  ...peers: readonly [n: number, sends: number, receives: number][]
): Promise<void> {
  const calls = agent.take().flatMap((line) => /^crypto (\d+)$/.exec(line)?.[1] ?? []);
  for (const call of calls) {
    const sas = peers.map(([n, sends, receives]) =>
      PeerSas.create({
        nodeId: nodeId(n),
        sends: { sender: BigInt(sends), receiver: 1n },
        receives: [{ sender: BigInt(receives), receiver: 1n }],
      }),
    );
    const cryptoResult = CryptoResult.create({ call: BigInt(call), peers: sas, nextKeyMs: 60_000n });
    agent.say({ oneofKind: 'cryptoResult', cryptoResult });
  }
  await cluster.settle();
}

const ask = (network = '') =>
  manager.api.crypto.getCryptoStatus(GetCryptoStatusRequest.create({ network }), cluster.call(seconds(10)));

describe('the status', () => {
  test('has all pairs of hosts that share an encrypted network, and when the next key is due', async () => {
    const [one, two] = (await hosts(2)) as [MemoryAgent, MemoryAgent];
    const status = ask();
    await cluster.settle();
    await answer(one, [2, 1, 1]);
    await answer(two, [1, 1, 1]);
    const { pairs, nextRotationMs, unreachable } = await cluster.answer(status);
    expect(pairs.map(({ a, b, sas }) => `${a} ${b} ${sas}`)).toEqual(['h1 h2 ok']);
    expect(Number(nextRotationMs) - cluster.clock.wall()).toBeGreaterThan(59_000);
    expect(unreachable).toEqual([]);
  });

  test('a host that does not answer is named, and the others are shown', async () => {
    const [one, , three] = (await hosts(3)) as [MemoryAgent, MemoryAgent, MemoryAgent];
    const status = ask('blue');
    await cluster.settle();
    await answer(one, [2, 1, 1], [3, 1, 1]);
    await answer(three, [1, 1, 1], [2, 1, 1]);
    const { pairs, unreachable } = await cluster.answer(status);
    expect(pairs.map(({ a, b, sas }) => `${a} ${b} ${sas}`)).toEqual(['h1 h2 unknown', 'h1 h3 ok', 'h2 h3 unknown']);
    expect(unreachable).toEqual(['h2']);
  });

  test('hosts that seem to differ are asked once more: their keys may have changed in between', async () => {
    const [one, two] = (await hosts(2)) as [MemoryAgent, MemoryAgent];
    const status = ask();
    await cluster.settle();
    await answer(one, [2, 2, 1]);
    await answer(two, [1, 1, 1]);
    await answer(one, [2, 2, 1]);
    await answer(two, [1, 1, 2]);
    expect((await cluster.answer(status)).pairs).toMatchObject([{ sas: 'ok' }]);
  });

  test('a network that is not encrypted has no pairs; one that does not exist is an error', async () => {
    await hosts(2, false);
    expect((await cluster.answer(ask('blue'))).pairs).toEqual([]);
    expect(await codeOf(ask('bleu'))).toBe('network-unknown');
  });
});

describe('a rotation', () => {
  /** The answers so far. */
  function rotate(
    now: boolean,
    requestId = uuid(),
  ): { readonly answers: RotateKeysResponse[]; readonly end: Promise<void> } {
    const answers: RotateKeysResponse[] = [];
    const stream = manager.api.crypto.rotateKeys({ requestId, now }, cluster.call(seconds(600)));
    const read = async (): Promise<void> => {
      for await (const each of stream) answers.push(each);
    };
    return { answers, end: read() };
  }

  const rekeys = (agent: MemoryAgent): string[] => agent.take().filter((line) => line.startsWith('rekey'));

  test('asks each host, follows what they publish, and ends when no former key is left', async () => {
    const agents = (await hosts(2)) as [MemoryAgent, MemoryAgent];
    const { answers, end } = rotate(false);
    await cluster.settle();
    expect(agents.map(rekeys)).toEqual([['rekey after 1'], ['rekey after 1']]);
    expect(answers.at(-1)).toMatchObject({ rotated: 0, total: 2, done: false });
    for (const [i, agent] of agents.entries()) await publish(agent, i + 1, 2, 1, 2);
    for (const [i, agent] of agents.entries()) await publish(agent, i + 1, 3, 2);
    await cluster.answer(end);
    expect(answers.at(-1)).toEqual({ rotated: 2, total: 2, waiting: [], unreachable: [], done: true });
    expect(manager.view.records('keyRotation').get()).toBeUndefined();
  });

  test('sent again under its id, asks no host for another key', async () => {
    const [agent] = (await hosts(1)) as [MemoryAgent];
    const requestId = uuid();
    const first = rotate(true, requestId);
    await cluster.settle();
    await publish(agent, 1, 2, 2);
    await cluster.answer(first.end);
    agent.take();
    const again = rotate(true, requestId);
    await cluster.answer(again.end);
    expect(again.answers).toEqual([{ rotated: 1, total: 1, waiting: [], unreachable: [], done: true }]);
    expect(rekeys(agent)).toEqual([]);
  });

  test('ends with the names of hosts that have no session, and goes on when they come back', async () => {
    const [agent] = (await hosts(1)) as [MemoryAgent];
    agent.hangUp();
    await cluster.settle();
    const { answers, end } = rotate(false);
    await cluster.answer(end);
    expect(answers.at(-1)).toMatchObject({ rotated: 0, total: 1, unreachable: ['h1'], done: true });
    const back = await connect(1);
    await cluster.clock.advance(seconds(2));
    expect(rekeys(back)).toEqual(['rekey after 1']);
  });

  test('without keys in the cluster has nothing to do', async () => {
    const { answers, end } = rotate(false);
    await cluster.answer(end);
    expect(answers).toEqual([{ rotated: 0, total: 0, waiting: [], unreachable: [], done: true }]);
  });
});
