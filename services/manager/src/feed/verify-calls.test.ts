import { ConnectResponse, VerifyResult } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { warningsOf } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { scriptNode } from '../testing/view-script.ts';
import type { AskedSession } from './host-calls.ts';
import { outcomeOf, VerifyCalls } from './verify-calls.ts';

const [h1, h2] = [scriptNode(1), scriptNode(2)];
const drift: Drift = { host: 'liar', network: 'n7', kind: 'fdb', key: 'k', actual: '', desired: 'x' };

/** A session that keeps the numbers of the calls that it was asked. */
function newSession(): AskedSession & { readonly calls: bigint[] } {
  const calls: bigint[] = [];
  const send = (bytes: Uint8Array): void => {
    const { message } = ConnectResponse.fromBinary(bytes);
    if (message.oneofKind === 'verify') calls.push(message.verify.call);
  };
  return { calls, send };
}

const answer = (call: bigint | undefined, error = ''): VerifyResult =>
  VerifyResult.create({ call: call ?? 0n, drift: [drift], error });

describe('a question to a host', () => {
  test.each<[string, (calls: VerifyCalls, asked: ReturnType<typeof newSession>) => void, boolean]>([
    ['is answered', (calls, asked) => calls.answer(asked, answer(asked.calls[0])), true],
    ['is answered by an error', (calls, asked) => calls.answer(asked, answer(asked.calls[0], 'no netlink')), false],
    ['is not answered by another session', (calls, asked) => calls.answer(newSession(), answer(asked.calls[0])), false],
    ['is not answered by the answer to another question', (calls, asked) => calls.answer(asked, answer(9n)), false],
    ['ends with its session', (calls, asked) => calls.sessionEnded(asked), false],
    [
      'does not end with another session',
      (calls, asked) => {
        calls.sessionEnded(newSession());
        calls.answer(asked, answer(asked.calls[0]));
      },
      true,
    ],
  ])('%s', async (_, happens, isAnswered) => {
    const calls = new VerifyCalls();
    const session = newSession();
    const limit = new AbortController();
    const outcome = calls.askAll([h1], () => session, false, limit.signal);
    happens(calls, session);
    limit.abort();
    expect(await outcome).toEqual({
      drift: isAnswered ? [{ ...drift, host: 'h1' }] : [],
      checked: isAnswered ? ['h1'] : [],
      unreachable: isAnswered ? [] : ['h1'],
    });
  });

  test('is not asked without a session, nor after the time is over', async () => {
    const session = newSession();
    const none = await new VerifyCalls().askAll([h1], () => undefined, false, new AbortController().signal);
    const late = await new VerifyCalls().askAll([h2], () => session, false, AbortSignal.abort());
    expect([none.unreachable, late.unreachable, session.calls]).toEqual([['h1'], ['h2'], []]);
  });

  test('has a number of its own', () => {
    const calls = new VerifyCalls();
    const session = newSession();
    void calls.askAll([h1, h2], () => session, false, new AbortController().signal);
    expect(new Set(session.calls).size).toBe(2);
  });
});

test('the outcome names hosts in order; a host without differences was checked', () => {
  const answers = new Map([
    ['h3', []],
    ['h2', undefined],
    ['h1', [drift]],
    ['h0', undefined],
  ]);
  expect(outcomeOf(answers)).toEqual({
    drift: [{ ...drift, host: 'h1' }],
    checked: ['h1', 'h3'],
    unreachable: ['h0', 'h2'],
  });
});

test('a verification of many hosts ends with its signal, and Node has no warning about listeners', async () => {
  const hosts = Array.from({ length: 20 }, (_, i) => scriptNode(i + 1));
  const limit = new AbortController();
  const warnings = await warningsOf(async () => {
    const outcome = new VerifyCalls().askAll(hosts, () => ({ send: () => undefined }), false, limit.signal);
    limit.abort();
    expect(await outcome).toEqual({ drift: [], checked: [], unreachable: hosts.map(({ name }) => name).sort() });
  });
  expect(warnings).toEqual([]);
});
