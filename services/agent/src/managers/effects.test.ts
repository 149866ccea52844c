import type { NodeId } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { milliseconds } from '@causeway/runtime';
import { expect, it } from 'vitest';
import type { EncryptionStatus } from '../encryption/status.ts';
import { carryOut, type EffectModules } from './effects.ts';

/** What the agent says after a manager has asked for the SAs of the kernel. */
async function answerOf(
  status: () => Promise<Pick<EncryptionStatus, 'peers' | 'nextKeyIn' | 'plaintextDrops'>>,
): Promise<ConnectRequest['message']> {
  const sent: ConnectRequest[] = [];
  const channel = { send: (request: ConnectRequest) => void sent.push(request) };
  const modules = { encryption: { status } } as unknown as EffectModules;
  await carryOut({ effect: 'tell-sas', call: 7n }, modules, channel as never);
  await status().catch(() => undefined);
  await Promise.resolve();
  return sent[0]?.message ?? { oneofKind: undefined };
}

it('tells the SAs of the kernel', async () => {
  const node = 'a000000000000002' as NodeId;
  const receives = [{ sender: 3, receiver: 1 }];
  const peers = [
    { node, sends: { sender: 1, receiver: 3 }, receives, age: milliseconds(1_500.7), esn: true, replayDrops: 4 },
    { node, sends: undefined, receives: [], age: undefined, esn: true, replayDrops: 0 },
  ];
  expect(await answerOf(async () => ({ peers, nextKeyIn: milliseconds(60_000.5), plaintextDrops: 2 }))).toEqual({
    oneofKind: 'cryptoResult',
    cryptoResult: {
      ...{ call: 7n, error: '', nextKeyMs: 60_000n, plaintextDrops: 2n },
      peers: [
        {
          ...{ nodeId: node, ageMs: 1_500n, esn: true, replayDrops: 4n },
          sends: { sender: 1n, receiver: 3n },
          receives: [{ sender: 3n, receiver: 1n }],
        },
        { nodeId: node, receives: [], ageMs: 0n, esn: true, replayDrops: 0n },
      ],
    },
  });
});

it('says why the kernel could not be read', async () => {
  expect(await answerOf(() => Promise.reject(new Error('no netlink')))).toMatchObject({
    cryptoResult: { call: 7n, error: 'no netlink', peers: [] },
  });
});

it('passes on that a new key is wanted', async () => {
  const wanted: number[] = [];
  const order = ({ afterGeneration }: { afterGeneration: number }) => void wanted.push(afterGeneration);
  const modules = { encryption: { order } } as unknown as EffectModules;
  await carryOut({ effect: 'rekey', after: 4 }, modules, {} as never);
  expect(wanted).toEqual([4]);
});
