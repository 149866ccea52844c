import { CausewayError } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { learn, noWays, returned, unreachedRemembered, type Ways, wantsRelay } from './route.ts';

const silence = new CausewayError('manager-unavailable', 'no answer to connect', { grpcCode: 14 });
const goodbye = new CausewayError('not-leader', 'ask m1', { leader: 'm1' });
const ended = (address: string, error: unknown, lasted = seconds(0)) => ({ address, error, lasted });
const cutFromM1: Ways = { ...noWays, unreached: new Map([['m1', 1_000]]) };

describe('wantsRelay', () => {
  it.each<[string, string, Ways, number, boolean]>([
    ['nothing is known', 'm2', noWays, 0, false],
    ['another could not be reached', 'm2', cutFromM1, 1_500, true],
    ['this one could not be', 'm1', cutFromM1, 1_500, false],
    ['long ago', 'm2', cutFromM1, 1_000 + unreachedRemembered, false],
  ])('%s', (_, address, ways, now, wants) => expect(wantsRelay(address, ways, now)).toBe(wants));
});

describe('learn', () => {
  it('remembers a manager that does not answer, and forgets that at its first answer', () => {
    const silent = learn(noWays, ended('m1', silence), 7);
    expect([...silent.unreached]).toEqual([['m1', 7]]);
    expect(learn(silent, ended('m1', goodbye), 8).unreached.size).toBe(0);
    expect([...learn(silent, ended('m2', goodbye), 8).unreached]).toEqual([['m1', 7]]);
  });

  it('a return in vain makes the next return later, up to five minutes, until a session has held that long', () => {
    let ways = cutFromM1;
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      ways = returned(ways, 'm1');
      pauses.push(ways.returnAfter / 1_000);
    }
    expect(pauses).toEqual([30, 60, 120, 240, 300, 300]);
    expect(ways.unreached.size).toBe(0);
    expect(learn(ways, ended('m1', silence, milliseconds(299_999)), 9).returnAfter).toBe(ways.returnAfter);
    expect(learn(ways, ended('m1', silence, seconds(300)), 9).returnAfter).toBe(seconds(15));
  });
});
