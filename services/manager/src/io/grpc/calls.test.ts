import { EventEmitter } from 'node:events';
import type { NodeId } from '@causeway/model';
import { MemoryLog } from '@causeway/runtime/testing';
import { Metadata, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { Identity } from '../../call/identity.ts';
import type { Rule } from '../../call/policy.ts';
import { CallLimit } from './call-limit.ts';
import { type Serving, serverStreaming, unary } from './calls.ts';
import type { Forwarder } from './forward.ts';

const rule: Rule = { may: ['operator'] };
const forwarder = { takes: () => false } as unknown as Forwarder;
const callers = { identify: (): Identity => ({ kind: 'operator', name: 'ops' }) };

function serving(most: number): Serving {
  const [calls, streams] = [new CallLimit('calls', most), new CallLimit('streams', most)];
  const refused = (): void => undefined;
  return { log: new MemoryLog(), forwarder, callers, refused, calls, streams };
}

/** The part of a call that its handler reads. */
function fakeCall(): EventEmitter & { readonly sent: unknown[] } {
  const sent: unknown[] = [];
  return Object.assign(new EventEmitter(), {
    sent,
    request: {},
    metadata: new Metadata(),
    getDeadline: () => Number.POSITIVE_INFINITY,
    getPath: () => '/test',
    write: (message: unknown) => sent.push(message) > 0,
    sendMetadata: (headers: Metadata) => sent.push(headers.getMap()),
    end: () => sent.push('end'),
  });
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one call more than may be under way is refused without being served, and the next is let in when one has ended', async () => {
  const held: (() => void)[] = [];
  const handle = unary<object, string>(serving(2), rule, async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return 'answer';
  });
  const answers: unknown[] = [];
  const call = (): void =>
    handle(fakeCall() as unknown as ServerUnaryCall<object, string>, (error, answer) => {
      answers.push(error?.code ?? answer);
    });
  for (let i = 0; i < 3; i++) call();
  await settle();
  expect([answers, held.length]).toEqual([[status.UNAVAILABLE], 2]);
  held[0]?.();
  await settle();
  call();
  await settle();
  expect([answers, held.length]).toEqual([[status.UNAVAILABLE, 'answer'], 3]);
});

test('one host has a tenth of the calls, and keeps out no other host and no operator', () => {
  const calls = new CallLimit('calls', 20);
  const [h1, h2] = ['1', '2'].map((node): Identity => ({ kind: 'agent', node: node.repeat(16) as NodeId }));
  const operator: Identity = { kind: 'operator', name: 'ops' };
  const isIn = (by: Identity | undefined): boolean => {
    try {
      calls.enter(by ?? operator);
      return true;
    } catch {
      return false;
    }
  };
  const leave = calls.enter(h1 ?? operator);
  expect([h1, h1, h2, h2, h2].map(isIn)).toEqual([true, false, true, true, false]);
  expect(Array.from({ length: 5 }, () => isIn(operator))).not.toContain(false);
  leave();
  expect([h1, h1].map(isIn)).toEqual([true, false]);
});

test('streams are counted until they end, or their reader is gone', async () => {
  const handle = serverStreaming<object, string>(serving(1), rule, async function* (_, { signal }) {
    yield 'first';
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  const open = (): EventEmitter & { readonly sent: unknown[] } => {
    const call = fakeCall();
    call.on('error', ({ code }) => call.sent.push(code));
    handle(call as unknown as ServerWritableStream<object, string>);
    return call;
  };
  const [first, second] = [open(), open()];
  await settle();
  expect([first.sent, second.sent]).toEqual([['first'], [status.UNAVAILABLE]]);
  first.emit('cancelled');
  await settle();
  const third = open();
  await settle();
  expect(third.sent).toEqual(['first']);
  third.emit('cancelled');
});
