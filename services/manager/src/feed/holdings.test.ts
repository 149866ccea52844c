import { describe, expect, test } from 'vitest';
import { networkId, nodeId } from '../testing/view-script.ts';
import { Holdings } from './holdings.ts';
import type { Tables } from './steps.ts';

const [n1, n2] = [nodeId(1), nodeId(2)];
const blue = networkId(7);

function holdings(...hosts: readonly number[]): { held: Holdings; hosts: Set<string>; at: (now: number) => void } {
  let now = 0;
  const on = new Map(hosts.map((n) => [nodeId(n), 1]));
  const table = { hosts: on, revision: 100n };
  const tables = new Map([[blue, table]]) as unknown as Tables;
  const held = new Holdings({ tables, clock: { now: () => now } });
  return { held, hosts: on as unknown as Set<string>, at: (time) => (now = time) };
}

describe('how far the hosts of a network are', () => {
  test('before anybody is heard of: as silent as the leader is old', () => {
    const { held, at } = holdings(1, 2);
    at(500);
    held.reset();
    expect(held.of(blue)).toEqual({ silentSince: 500 });
    expect(held.silentSince(n1)).toBe(500);
  });

  test('the least that any has told; a session that has told nothing holds everything up', () => {
    const { held } = holdings(1, 2);
    held.began(n1, []);
    held.began(n2, []);
    held.reported(n1, blue, 9n);
    expect(held.of(blue)).toEqual({ floor: 0n });
    held.reported(n2, blue, 8n);
    held.reported(n2, blue, 5n);
    expect(held.of(blue)).toEqual({ floor: 8n });
  });

  test('nobody has applied what has not happened', () => {
    const { held } = holdings(1);
    held.began(n1, []);
    held.reported(n1, blue, 1_000n);
    expect(held.of(blue)).toEqual({ floor: 100n });
  });

  test('a lost session is silent, and a new one begins with nothing told', () => {
    const { held, at } = holdings(1, 2);
    for (const node of [n1, n2]) {
      held.began(node, []);
      held.reported(node, blue, 9n);
    }
    at(700);
    held.ended(n2);
    expect(held.of(blue)).toEqual({ floor: 9n, silentSince: 700 });
    held.began(n2, []);
    expect(held.of(blue)).toEqual({ floor: 0n });
  });

  test('a host that left counts until it says that nothing is left', () => {
    const { held, hosts } = holdings(1, 2);
    for (const node of [n1, n2]) held.began(node, []);
    held.reported(n1, blue, 9n);
    held.reported(n2, blue, 4n);
    hosts.delete(n2);
    held.left(n2, blue);
    held.reported(n2, blue, 90n);
    expect(held.of(blue)).toEqual({ floor: 4n });
    held.withdrawn(n2, blue);
    expect(held.of(blue)).toEqual({ floor: 9n });
  });

  test('one that is back before it said so is not believed about the time before', () => {
    const { held, hosts } = holdings(1);
    held.began(n1, []);
    held.reported(n1, blue, 4n);
    hosts.delete(n1);
    held.left(n1, blue);
    (hosts as unknown as Map<string, number>).set(n1, 1);
    held.withdrawn(n1, blue);
    expect(held.of(blue)).toEqual({ floor: 4n });
  });

  test('one that comes with a network it should not have holds it', () => {
    const { held } = holdings();
    held.began(n1, [blue]);
    expect(held.of(blue)).toEqual({ floor: 0n });
    held.withdrawn(n1, blue);
    expect(held.of(blue)).toEqual({});
  });

  test('one that is no host any more holds nothing', () => {
    const { held, at } = holdings();
    held.began(n1, [blue]);
    at(5);
    held.ended(n1);
    expect(held.of(blue)).toEqual({ silentSince: 5 });
    held.forget(n1);
    expect(held.of(blue)).toEqual({});
  });
});
