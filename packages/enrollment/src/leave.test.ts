import { CausewayError, type ErrorCode } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Leaving, leave, type OpenExit } from './leave.ts';

let calls: string[];
let answers: Map<string, ErrorCode | undefined>;

beforeEach(() => {
  calls = [];
  answers = new Map([['a:1', undefined]]);
});

const open: OpenExit = (address) => {
  const answer = async <Value>(call: string, value: Value): Promise<Value> => {
    calls.push(`${address} ${call}`);
    const code = answers.get(address);
    if (code === undefined) return value;
    throw new CausewayError(code, `said ${address}`);
  };
  return {
    removeNode: ({ node, force }) =>
      answer(`node ${node}${force ? ' force' : ''}`, { revision: 1n, released: 0, interfacesRemoved: true }),
    removeManager: ({ name }) => answer(`manager ${name}`, {}),
    close: () => void calls.push(`${address} closed`),
  };
};

function member(role: 'agent' | 'manager' | 'operator', id: string, more: Partial<Leaving> = {}): Leaving {
  const membership = { name: { cluster: '0123456789abcdef' as never, role, id }, managers: [] };
  return { membership, credential: {} as never, addresses: [...answers.keys()], force: false, ...more };
}

const go = (leaving: Leaving): Promise<void> =>
  leave({ open, random: new SeededRandom(1) }, leaving, new AbortController().signal);

test.each<[string, () => Leaving, string]>([
  ['a host', () => member('agent', 'a1a1a1a1a1a1a1a1'), 'a:1 node a1a1a1a1a1a1a1a1'],
  ['a host with endpoints', () => member('agent', 'a1', { force: true }), 'a:1 node a1 force'],
  ['a manager', () => member('manager', 'm1'), 'a:1 manager m1'],
])('%s is removed under its own name', async (_, leaving, call) => {
  await go(leaving());
  expect(calls).toEqual([call, 'a:1 closed']);
});

test('the next manager is asked when one does not answer', async () => {
  answers = new Map([
    ['a:1', 'manager-unavailable'],
    ['b:1', undefined],
  ]);
  await go(member('manager', 'm1'));
  expect(calls.filter((call) => !call.endsWith('closed'))).toEqual(['a:1 manager m1', 'b:1 manager m1']);
});

describe('the member has left already', () => {
  test.each<ErrorCode>(['node-unknown', 'node-removed', 'manager-unknown', 'manager-removed'])(
    'when a manager says %s',
    async (code) => {
      answers = new Map([['a:1', code]]);
      await go(member('agent', 'a1'));
    },
  );
});

test('a refusal is final', async () => {
  answers = new Map([
    ['a:1', 'node-in-use'],
    ['b:1', undefined],
  ]);
  await expect(go(member('agent', 'a1'))).rejects.toMatchObject({ code: 'node-in-use' });
  expect(calls).toEqual(['a:1 node a1', 'a:1 closed']);
});

test('no manager answers: the error names them', async () => {
  answers = new Map([
    ['a:1', 'timed-out'],
    ['b:1', 'manager-unavailable'],
  ]);
  const message = 'no manager lets agent/a1 leave: a:1: said a:1; b:1: said b:1';
  await expect(go(member('agent', 'a1'))).rejects.toMatchObject({ code: 'timed-out', message });
});

test('an operator has nothing to leave', async () => {
  await expect(go(member('operator', 'eve'))).rejects.toMatchObject({ code: 'invalid-argument' });
});
