import { type EndpointId, Ip, type NetworkId } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointId, networkId, scriptEndpoint } from '../testing/view-script.ts';
import { History } from './history.ts';
import { createKeys } from './keys.ts';
import { records } from './records/index.ts';
import { revisionOf, type Write } from './store.ts';
import { View } from './view.ts';

const keys = createKeys();
const network = networkId(1);

function put(n: number, node = 1): Write {
  const record = scriptEndpoint(n, 1, node);
  return { kind: 'put', key: keys.endpoint(network, record.id), value: records.endpoint.codec.encode(record) };
}

function take(n: number, by: number): Write {
  const value = records.address.codec.encode({ kind: 'endpoint', endpoint: endpointId(by), asked: false });
  return { kind: 'put', key: keys.address(network, Ip(`10.1.0.${n}`)), value };
}

function gone({ key }: Write): Write {
  return { kind: 'delete', key };
}

/** A view that follows a store, and a writer to that store. */
class Writing {
  readonly history = new History();
  readonly view = new View();
  #delivered = this.history.revision;

  constructor() {
    this.view.apply({ kind: 'snapshot', revision: this.#delivered, kvs: [] });
  }

  own(...writes: Write[]): void {
    this.history.write(writes);
    this.view.wrote(this.history.revision, writes);
  }

  others(...writes: Write[]): void {
    this.history.write(writes);
  }

  /** The watch brings the next `revisions` revisions of the store. */
  follow(revisions = Number.POSITIVE_INFINITY): void {
    const news = this.history.since(this.#delivered, keys.prefix);
    const reached = [...new Set(news.map(revisionOf))].slice(0, revisions).at(-1) ?? this.#delivered;
    const events = news.filter((event) => revisionOf(event) <= reached);
    this.#delivered = reached;
    this.view.apply({ kind: 'events', revision: reached, events });
  }
}

describe('what a transaction of our own wrote', () => {
  test('is in the view before the watch delivers it, and only once', () => {
    const writing = new Writing();
    let calls = 0;
    writing.view.subscribe(() => calls++);
    writing.own(put(1), take(1, 1));
    expect(writing.view.endpoint(endpointId(1))?.revision).toBe(2n);
    writing.follow();
    expect([writing.view.revision, calls]).toEqual([2n, 1]);
  });

  test('waits for the watch when another wrote in between', () => {
    const writing = new Writing();
    writing.others(put(1));
    writing.own(put(2));
    expect(writing.view.endpointCount).toBe(0);
    writing.follow();
    expect([writing.view.endpointCount, writing.view.revision]).toEqual([2, 3n]);
  });

  test('is nothing when it deleted what was not there: the revision is another’s', () => {
    const writing = new Writing();
    writing.others(put(1));
    writing.own(gone(put(9)));
    expect(writing.view.revision).toBe(1n);
    writing.follow();
    expect(writing.view.endpointCount).toBe(1);
  });

  test('leads to the same view as the watch alone', () => {
    const write = fc.oneof(
      fc.record({ act: fc.constant('put' as const), n: fc.nat(4), by: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ act: fc.constant('take' as const), n: fc.nat(4), by: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ act: fc.constant('drop' as const), n: fc.nat(4), by: fc.constant(0) }),
      fc.record({ act: fc.constant('free' as const), n: fc.nat(4), by: fc.constant(0) }),
    );
    const step = fc.oneof(
      fc.record({ who: fc.constantFrom('own' as const, 'own' as const, 'others' as const), write }),
      fc.record({ who: fc.constant('watch' as const), revisions: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const writing = new Writing();
        for (const each of steps) {
          if (each.who === 'watch') writing.follow(each.revisions);
          else writing[each.who](writeOf(each.write));
        }
        writing.follow();
        const following = new View();
        const kvs = writing.history.list(keys.prefix);
        following.apply({ kind: 'snapshot', revision: writing.history.revision, kvs });
        expect(content(writing.view, network)).toEqual(content(following, network));
      }),
    );
  });
});

function writeOf({ act, n, by }: { act: 'put' | 'take' | 'drop' | 'free'; n: number; by: number }): Write {
  if (act === 'put') return put(n, by);
  if (act === 'take') return take(n, by);
  return gone(act === 'drop' ? put(n) : take(n, 1));
}

function content(view: View, of: NetworkId): unknown {
  const endpoints = [...view.endpointsOf(of)].sort(([a], [b]) => order(a, b));
  const addresses = [...view.addressesOf(of)].sort(([a], [b]) => order(a, b));
  return { revision: view.revision, endpoints, addresses };
}

function order(a: EndpointId | Ip, b: EndpointId | Ip): number {
  return a < b ? -1 : 1;
}
