import { type Unsigned, verifyKeys } from '@causeway/encryption';
import type { NodeId } from '@causeway/model';
import { nodeKeysFromMessage } from '@causeway/proto';
import type { ConnectRequest, NodeKeys } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, expect, it } from 'vitest';
import { MemoryMember, memberCluster } from '../testing/encryption.ts';
import { OwnRecord } from './own-record.ts';

const node = 'a1a1a1a1a1a1a1a1' as NodeId;
const generations = [{ generation: 1, publicKey: new Uint8Array(32), createdAt: 1 }];
const version = (number: number): Unsigned => ({ node, index: 0x101, version: number, generations });

let clock: FakeClock;
let member: MemoryMember;
let own: OwnRecord;
let sent: NodeKeys[];

const fresh = (): OwnRecord => new OwnRecord({ member, clock }, { node, cluster: memberCluster });
const send = ({ message }: ConnectRequest): void => {
  if (message.oneofKind === 'keys') sent.push(message.keys);
};

beforeEach(() => {
  clock = new FakeClock();
  member = new MemoryMember(clock, node);
  own = fresh();
  sent = [];
});

/** The versions of what was sent since the last call; 0: a question. */
const said = (): number[] => sent.splice(0).map((keys) => Number(keys.version));
const answer = (number: number): void => own.heard({ kind: 'own', index: 0x101, version: number, newest: 1 });

it('asks once in each session, then publishes once', () => {
  own.say(version(1), send);
  own.say(version(1), send);
  expect([said(), own.index, own.published]).toEqual([[0], undefined, 'unknown']);
  answer(0);
  expect([own.index, own.published]).toEqual([0x101, undefined]);
  own.say(version(1), send);
  own.say(version(1), send);
  expect(said()).toEqual([1]);
  answer(1);
  own.say(undefined, send);
  expect([said(), own.published]).toEqual([[], { version: 1, newest: 1 }]);
  own.begin();
  own.say(undefined, send);
  expect(said()).toEqual([0]);
});

it('signs with the certificate of the host', () => {
  answer(0);
  own.say(version(1), send);
  const [message] = sent;
  if (message === undefined) throw new Error('nothing was said');
  const expected = { cluster: memberCluster, trust: member.current.trust, now: clock.wall() };
  expect(verifyKeys(nodeKeysFromMessage(message), expected)).toEqual({ ok: true, value: version(1) });
});

it('asks again what the managers have when there is no answer', async () => {
  own.say(undefined, send);
  expect([said(), own.againIn]).toEqual([[0], seconds(5)]);
  await clock.advance(milliseconds(4_999));
  own.say(undefined, send);
  expect(said()).toEqual([]);
  await clock.advance(milliseconds(1));
  own.say(undefined, send);
  expect(said()).toEqual([0]);
  answer(0);
  own.say(version(1), send);
  await clock.advance(seconds(5));
  own.say(version(1), send);
  expect(said()).toEqual([1, 0]);
  answer(7);
  own.say(version(8), send);
  expect([said(), own.againIn]).toEqual([[8], seconds(5)]);
});

it('knows whether its present certificate has signed what the managers have, also after a restart', () => {
  answer(0);
  own.say(version(1), send);
  expect(own.isSigned).toBe(false);
  answer(1);
  expect(own.isSigned).toBe(true);
  const { records } = own;
  own = fresh();
  own.restore(records);
  expect([own.index, own.isSigned]).toEqual([0x101, false]);
  answer(1);
  expect(own.isSigned).toBe(true);
  member.renew();
  expect(own.isSigned).toBe(false);
});

it('has an index without a record, which is known after a restart', () => {
  expect(own.records).toEqual([]);
  answer(0);
  const { records } = own;
  own = fresh();
  own.restore(records);
  expect([own.index, own.published]).toEqual([0x101, 'unknown']);
});
