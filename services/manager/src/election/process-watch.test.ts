import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { MemoryPorts } from '../testing/memory-ports.ts';
import type { Contact } from './dialer.ts';
import { isProcessGone, judge, type NextTry, unseen } from './process-watch.ts';

const ended = new Promise<void>(() => undefined);
const leads: Contact = { kind: 'connected', leads: true, ended };
const standsBy: Contact = { kind: 'connected', leads: false, ended };
const refused: Contact = { kind: 'refused' };
const unclear: Contact = { kind: 'unclear' };

/** What the rule says after these contacts. */
function after(...contacts: readonly Contact[]): NextTry['kind'] {
  let sighting = unseen;
  let next: NextTry = { kind: 'dial', after: milliseconds(0) };
  for (const contact of contacts) ({ sighting, next } = judge(sighting, contact));
  return next.kind;
}

describe('judge', () => {
  test.each<[string, readonly Contact[], NextTry['kind']]>([
    ['it leads: the connection is kept', [leads], 'hold'],
    ['one refusal: once more', [leads, refused], 'dial'],
    ['two refusals: gone', [leads, refused, refused], 'gone'],
    ['two refusals with silence between: once more', [leads, refused, unclear, refused], 'dial'],
    ['two refusals with a connection between: once more', [leads, refused, leads, refused], 'dial'],
    ['silence, however long: nothing', [leads, unclear, unclear, unclear, unclear], 'dial'],
    ['refused from the beginning, however often: the address may be wrong', [refused, refused, refused], 'dial'],
    ['it does not lead yet', [standsBy], 'dial'],
    ['it does not lead yet, and is refused then', [standsBy, refused, refused, refused], 'dial'],
    ['it did lead, and another process answers', [leads, standsBy], 'gone'],
    ['cut off, then refused', [leads, unclear, unclear, refused, refused], 'gone'],
  ])('%s', (_, contacts, kind) => {
    expect(after(...contacts)).toBe(kind);
  });
});

describe('isProcessGone', () => {
  const setUp = () => {
    const clock = new FakeClock();
    const ports = new MemoryPorts({ clock });
    const end = new AbortController();
    let gone: boolean | undefined;
    ports.listen('m1:7443', () => true);
    const begin = (): void => {
      void isProcessGone({ dialer: ports, clock }, { address: 'm1:7443' }, end.signal).then((result) => {
        gone = result;
      });
    };
    return { clock, ports, end, begin, gone: () => gone };
  };

  test('a process that ends is found out at once', async () => {
    const { clock, ports, begin, gone } = setUp();
    begin();
    await clock.advance(seconds(5));
    ports.close('m1:7443');
    await clock.advance(milliseconds(60));
    expect(gone()).toBe(true);
  });

  test('a restarted process is not the one that led', async () => {
    const { clock, ports, begin, gone } = setUp();
    begin();
    await clock.advance(seconds(5));
    ports.close('m1:7443');
    ports.listen('m1:7443', () => false);
    await clock.advance(milliseconds(1));
    expect(gone()).toBe(true);
  });

  test('a path that is cut, and heals: the process is there all the time', async () => {
    const { clock, ports, begin, end, gone } = setUp();
    begin();
    await clock.advance(seconds(5));
    ports.cut('m1:7443');
    ports.breakConnections('m1:7443');
    await clock.advance(seconds(60));
    ports.heal('m1:7443');
    await clock.advance(seconds(60));
    expect(gone()).toBeUndefined();
    end.abort();
    await clock.advance(milliseconds(0));
    expect(gone()).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  test('after the wait was given up, no answer means that the process is gone', async () => {
    const clock = new FakeClock();
    const end = new AbortController();
    let answer = (_: Contact): void => undefined;
    const late = new Promise<Contact>((resolve) => {
      answer = resolve;
    });
    const contacts = [Promise.resolve({ ...leads, ended: Promise.resolve() }), late];
    const dial = (): Promise<Contact> => contacts.shift() ?? Promise.resolve(unclear);
    const gone = isProcessGone({ dialer: { dial }, clock }, { address: 'm1:7443' }, end.signal);
    await clock.advance(seconds(1));
    end.abort();
    answer(standsBy);
    expect(await gone).toBe(false);
  });

  test('connections that break all the time cost no more than 20 tries a second', async () => {
    const { clock, ports, begin, end } = setUp();
    let dialled = 0;
    const { dial } = ports;
    ports.dial = async (address, signal) => {
      dialled++;
      const contact = await dial.call(ports, address, signal);
      ports.breakConnections(address);
      return contact;
    };
    begin();
    await clock.advance(seconds(10));
    end.abort();
    expect(dialled).toBeGreaterThan(100);
    expect(dialled).toBeLessThanOrEqual(201);
  });
});
