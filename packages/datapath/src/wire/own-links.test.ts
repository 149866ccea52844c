import { Mac } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import type { LinkRecord } from './link.ts';
import { OwnLinks, type WrittenLink } from './own-links.ts';

const mac = Mac('02:42:0a:42:00:09');
const flags = { learning: true, flood: true };
const written: WrittenLink = { name: 'v1', mac, mtu: 1450, up: true, bridgePort: { master: 'br0', ...flags } };
/** The link as written, without its carrier. */
const record: LinkRecord = {
  ...{ index: 3, name: 'v1', mac, mtu: 1450, up: true, carrier: false, kind: 'veth', master: 2, group: 0 },
  ...{ port: flags, crossesNamespaces: true },
};
const nameOf = (index: number): string | undefined => (index === 2 ? 'br0' : undefined);

/** What this process has made, and the notifications that came. */
function made(...events: readonly LinkRecord[]): OwnLinks {
  const own = new OwnLinks();
  own.wrote({ kind: 'made', link: written });
  for (const event of events) own.takes(event, nameOf);
  return own;
}

describe('a pair of links that this process has made', () => {
  it.each<[string, Partial<LinkRecord>, boolean]>([
    ['as written', {}, true],
    ['with another MAC', { mac: Mac('02:00:00:00:00:01') }, false],
    ['with another MTU', { mtu: 1400 }, false],
    ['down', { up: false }, false],
    ['as a port of another bridge', { master: 4 }, false],
    ['that learns not', { port: { learning: false, flood: true } }, false],
    ['that floods not', { port: { learning: true, flood: false } }, false],
    ['of another kind', { kind: 'dummy' }, false],
  ])('%s', (_, found, isAsWritten) => {
    const own = made({ ...record, ...found });
    expect(own.settle(nameOf)).toEqual(isAsWritten ? [] : ['v1']);
    expect(own.isEmpty, 'only a link as written is waited for').toBe(!isAsWritten);
  });

  it('without a bridge is as written without one', () => {
    const own = new OwnLinks();
    const { bridgePort: _, ...alone } = written;
    own.wrote({ kind: 'made', link: alone });
    const { master: __, port: ___, ...found } = record;
    own.takes(found, nameOf);
    expect(own.settle(nameOf)).toEqual([]);
  });

  it('of which no notification has come is not as written', () => {
    const own = made();
    expect([own.settle(nameOf), own.isEmpty]).toEqual([['v1'], true]);
  });

  it('takes every notification until all were shown, whatever the link is then', () => {
    const own = made();
    expect(own.takes({ ...record, mtu: 68 }, nameOf)).toBe(true);
    expect(own.takes(record, nameOf)).toBe(true);
    expect(own.settle(nameOf)).toEqual([]);
  });

  it('that has its carrier when all notifications were shown is forgotten', () => {
    const own = made({ ...record, carrier: true });
    expect([own.settle(nameOf), own.isEmpty]).toEqual([[], true]);
  });

  it('that gets its carrier later is forgotten then, and the carrier is no change', () => {
    const own = made(record);
    own.settle(nameOf);
    expect(own.isEmpty).toBe(false);
    expect([own.takes({ ...record, carrier: true }, nameOf), own.isEmpty]).toEqual([true, true]);
    expect(own.takes(record, nameOf), 'it is not known any more').toBe(false);
  });

  it('that was as written, and is no more, has changed', () => {
    const own = made(record);
    own.settle(nameOf);
    expect([own.takes({ ...record, mtu: 1400 }, nameOf), own.isEmpty]).toEqual([false, true]);
  });

  it('that loses its carrier before all notifications were shown has changed', () => {
    const own = made({ ...record, carrier: true });
    expect([own.takes(record, nameOf), own.isEmpty]).toEqual([false, true]);
  });

  it('is settled once', () => {
    const own = made(record);
    own.settle(nameOf);
    expect(
      own.settle(() => undefined),
      'although its bridge has no name now',
    ).toEqual([]);
    expect(own.isEmpty).toBe(false);
  });
});

describe('whether notifications of a write may still come', () => {
  it.each<[string, OwnLinks, boolean]>([
    ['of a link that was made', made(), true],
    ['of a link that this process has not made', new OwnLinks(), false],
  ])('%s', (_, own, expected) => expect(own.isBeingWritten('v1')).toBe(expected));

  it('of a link that is settled: no, and yes after another write', () => {
    const own = made(record);
    own.settle(nameOf);
    expect(own.isBeingWritten('v1')).toBe(false);
    own.wrote({ kind: 'changed', name: 'v1', change: { mtu: 1400 } });
    expect(own.isBeingWritten('v1')).toBe(true);
    own.takes({ ...record, mtu: 1400 }, nameOf);
    expect(own.settle(nameOf)).toEqual([]);
  });

  it('of a link that is changed and was not made by this process: no', () => {
    const own = new OwnLinks();
    own.wrote({ kind: 'changed', name: 'v1', change: { mtu: 1400 } });
    expect([own.isEmpty, own.isBeingWritten('v1'), own.takes(record, nameOf)]).toEqual([true, false, false]);
  });

  it('of a link that was forgotten: no', () => {
    const own = made();
    own.forget('v1');
    expect([own.isEmpty, own.isBeingWritten('v1')]).toEqual([true, false]);
  });
});

describe('a link that waits for its carrier', () => {
  it('is named at the second look, once, and only if it still waits', () => {
    const own = made(record);
    own.settle(nameOf);
    expect(own.takeWaiting()).toEqual([]);
    expect(own.takeWaiting()).toEqual(['v1']);
    expect([own.takeWaiting(), own.isEmpty]).toEqual([[], true]);
  });

  it('is not named when its carrier came between the looks', () => {
    const own = made(record);
    own.settle(nameOf);
    own.takeWaiting();
    own.takes({ ...record, carrier: true }, nameOf);
    expect(own.takeWaiting()).toEqual([]);
  });
});
