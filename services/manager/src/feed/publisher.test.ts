import { beforeEach, describe, expect, test } from 'vitest';
import { networkId, nodeId, ViewScript } from '../testing/view-script.ts';
import { memberships, type Publication, Publisher } from './publisher.ts';

const blue = networkId(7);

let script: ViewScript;
let publisher: Publisher;

beforeEach(() => {
  script = new ViewScript();
  script.commit({ put: 'node', node: 1 }, { put: 'node', node: 2 }, { put: 'network', network: 7 });
  publisher = new Publisher(script.view);
});

/** Reads the whole view, as at the revision. */
const reset = (revision = script.revision): readonly Publication[] => publisher.update([{ kind: 'reset', revision }]);

test('a view that is read anew at the same revision publishes nothing', () => {
  expect(reset().map(({ kind }) => kind)).toEqual(['begun']);
  expect(reset()).toEqual([]);
});

describe('the publication of a network', () => {
  let published: Publication[];

  beforeEach(() => {
    script.commit(
      { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
      { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
    );
    reset();
    script.view.subscribe((changes) => published.push(...publisher.update(changes)));
    published = [];
  });

  test('that moves names the hosts that join and leave, and the revisions', () => {
    script.commit({ delete: 'endpoint', endpoint: 10, network: 7 });
    const table = publisher.tables.get(blue);
    expect(published).toEqual([{ kind: 'moved', table, from: 3n, to: 4n, joined: [], left: [nodeId(2)] }]);
  });

  test('that is deleted names its hosts; its table is gone', () => {
    script.commit({ delete: 'network', network: 7 });
    expect(published).toEqual([{ kind: 'vanished', network: blue, left: [nodeId(1), nodeId(2)] }]);
    expect(publisher.tables.has(blue)).toBe(false);
  });

  test('that begins anew names the hosts that it had and does not have any more', () => {
    const other = new Publisher(script.view);
    other.update([{ kind: 'reset', revision: 9n }]);
    script.commit({ delete: 'endpoint', endpoint: 10, network: 7 });
    const [begun] = other.update([{ kind: 'reset', revision: 3n }]);
    expect(begun).toMatchObject({ kind: 'begun', left: [nodeId(2)] });
    expect(begun?.kind === 'begun' && begun.table).toBe(other.tables.get(blue));
  });
});

describe('the events for hosts', () => {
  const joined = { kind: 'subscribed', network: blue } as const;
  const left = { kind: 'unsubscribed', network: blue } as const;
  const table = { id: blue, hosts: new Map([[nodeId(1), 1]]) } as never;
  const moved = { kind: 'moved', table, from: 1n, to: 2n } as const;

  test.each<[string, Publication, readonly (readonly [string, object])[]]>([
    ['of a network that moves without them: none', { ...moved, joined: [], left: [] }, []],
    [
      'that join and leave',
      { ...moved, joined: [nodeId(2)], left: [nodeId(3)] },
      [
        [nodeId(3), left],
        [nodeId(2), joined],
      ],
    ],
    [
      'of a network that begins: all of its hosts',
      { kind: 'begun', table, left: [nodeId(3)] },
      [
        [nodeId(3), left],
        [nodeId(1), joined],
      ],
    ],
    ['of a network that is deleted', { kind: 'vanished', network: blue, left: [nodeId(1)] }, [[nodeId(1), left]]],
  ])('%s', (_, publication, expected) => expect([...memberships(publication)]).toEqual(expected));
});
