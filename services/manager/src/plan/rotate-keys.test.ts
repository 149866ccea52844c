import type { NodeKeys } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { records } from '../store/records/index.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { nodeId, scriptNode, scriptNodeKeys } from '../testing/view-script.ts';
import { publishKeys, reserveKeyIndex } from './node-keys.ts';
import { registerNode } from './register-node.ts';
import { beginKeyRotation, finishKeyRotation, rotatingHosts } from './rotate-keys.ts';

let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  for (const n of [1, 2, 3]) desk.make(registerNode(scriptNode(n)));
});

/** Host n offers these generations. */
function publish(n: number, version: number, ...generations: number[]): void {
  const { index } = desk.make(reserveKeyIndex(nodeId(n)));
  const offered = generations.map((generation): NodeKeys['generations'][number] => {
    return { generation, publicKey: new Uint8Array(32).fill(generation), createdAt: 1 };
  });
  desk.make(publishKeys({ ...scriptNodeKeys(n, version), index, generations: offered }));
}

const rotation = () => desk.view.records('keyRotation').get()?.value;
const states = (): string => {
  const now = rotation();
  return now === undefined
    ? 'none'
    : rotatingHosts(now, desk.view)
        .map(({ name, state }) => `${name} ${state}`)
        .join(', ');
};
const eventsOf = (intent: { plan(planning: PlanHarness): { events: readonly { message: string }[] } }): string[] =>
  intent.plan(desk).events.map(({ message }) => message);

describe('a rotation', () => {
  test('is about the hosts that have keys, and ends when none of them offers a former key', () => {
    publish(1, 1, 1);
    publish(2, 1, 4, 5);
    desk.make(reserveKeyIndex(nodeId(3)));
    expect(desk.make(beginKeyRotation(false))).toBe(2);
    expect(states()).toBe('h1 former, h2 former');
    publish(1, 2, 1, 2);
    publish(2, 2, 5, 6);
    expect(states()).toBe('h1 changing, h2 changing');
    publish(1, 3, 2);
    desk.make(finishKeyRotation());
    expect(states()).toBe('h1 rotated, h2 changing');
    publish(2, 3, 6);
    expect(eventsOf(finishKeyRotation())).toEqual([
      'all hosts use new keys for encrypted networks, and the former ones are gone',
    ]);
    desk.make(finishKeyRotation());
    expect(states()).toBe('none');
  });

  test('begins anew in place of one that is under way', () => {
    publish(1, 1, 1);
    desk.make(beginKeyRotation(false));
    publish(1, 2, 1, 2);
    desk.make(beginKeyRotation(true));
    expect([states(), rotation()?.atOnce]).toEqual(['h1 former', true]);
  });

  test('does not wait for a host that was removed', () => {
    publish(1, 1, 1);
    desk.make(beginKeyRotation(false));
    desk.write({
      compares: [],
      takes: [],
      events: [],
      reply: undefined,
      writes: [{ kind: 'delete', key: desk.keys.node(nodeId(1)) }],
    });
    expect(states()).toBe('');
    desk.make(finishKeyRotation());
    expect(states()).toBe('none');
  });

  test('of no hosts writes nothing', () => {
    expect(beginKeyRotation(false).plan(desk)).toMatchObject({ writes: [], reply: 0 });
    expect(finishKeyRotation().plan(desk).writes).toEqual([]);
  });

  test('is seen in events, and says how it was asked for', () => {
    publish(1, 1, 1);
    publish(2, 1, 1);
    expect(eventsOf(beginKeyRotation(false))).toEqual([
      '2 hosts make new keys for encrypted networks, a few at a time',
    ]);
    expect(eventsOf(beginKeyRotation(true))).toEqual(['2 hosts make new keys for encrypted networks, all at once']);
  });

  test('is stored and read', () => {
    const value = { atOnce: true, former: new Map([[nodeId(1), 3]]) };
    const read = records.keyRotation.codec.decode(records.keyRotation.codec.encode(value, {}));
    expect(read).toEqual({ ok: true, value: { value } });
  });
});
