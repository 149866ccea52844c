import { CausewayError } from '@causeway/model';
import { errorToStatus, Failover } from '@causeway/proto';
import type { ClaimEndpointsResponse, ClaimOutcome } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ClaimEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ClaimCalls, type Claimed } from './claim-calls.ts';

let clock: FakeClock;
let calls: ClaimCalls;
/** Names in the claims of each call, as the manager received them. */
let asked: string[][];
/** Whether each call said that a claim in it was sent before. */
let retries: (boolean | undefined)[];
/** The manager's next answers; when the list is empty, it gives the usual answer. */
let answers: (() => Promise<ClaimEndpointsResponse>)[];

const delay = milliseconds(5);

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  retries = [];
  answers = [];
  const claimEndpoints = async (
    _: string,
    { claims }: { readonly claims: readonly ClaimEndpointRequest[] },
    limits: { readonly timeout: Duration; readonly isRetry?: boolean },
  ): Promise<ClaimEndpointsResponse> => {
    retries.push(limits.isRetry);
    asked.push(claims.map(({ name }) => name));
    await clock.sleep(milliseconds(Math.min(delay, limits.timeout)));
    return (await answers.shift()?.()) ?? { outcomes: claims.map(({ name }) => outcomeFor(name)), epoch: 1n };
  };
  calls = new ClaimCalls({ link: { claimEndpoints }, failover: new Failover(['m1'], clock), clock });
});

function outcomeFor(name: string): ClaimOutcome {
  if (name !== 'taken') return { outcome: { oneofKind: 'endpoint', endpoint: Endpoint.create({ name }) } };
  const refused = errorToStatus(new CausewayError('name-taken', 'another has it'));
  return { outcome: { oneofKind: 'refused', refused } };
}

function claim(name: string, timeout = seconds(30)): Promise<string> {
  const claimed = calls.claim(ClaimEndpointRequest.create({ name }), timeout);
  return claimed.then(({ endpoint }: Claimed) => endpoint.name, codeOf);
}

function codeOf(error: unknown): string {
  return error instanceof CausewayError ? error.code : String(error);
}

function answerOf<Value>(answer: Promise<Value>): Promise<Value> {
  return clock.until(answer, seconds(60));
}

describe('ClaimCalls', () => {
  it('sends a single claim at once', async () => {
    expect(await answerOf(claim('a'))).toBe('a');
    expect(await answerOf(claim('b'))).toBe('b');
    expect(asked).toEqual([['a'], ['b']]);
    expect(retries).toEqual([false, false]);
  });

  it('sends the claims that came during a call together', async () => {
    const first = claim('a');
    await clock.advance(milliseconds(1));
    const later = [claim('b'), claim('taken'), claim('c')];
    expect(await answerOf(Promise.all([first, ...later]))).toEqual(['a', 'b', 'name-taken', 'c']);
    expect(asked).toEqual([['a'], ['b', 'taken', 'c']]);
  });

  it('begins the next call when as many claims wait as attaches are being worked on', async () => {
    await answerOf(Promise.all(['a', 'b', 'c', 'd'].map((name) => claim(name))));
    const later = [claim('e'), claim('f')];
    calls.settled();
    await clock.advance(milliseconds(1));
    expect(asked).toHaveLength(1);
    calls.settled();
    await clock.advance(milliseconds(1));
    expect(asked).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f'],
    ]);
    await answerOf(Promise.all(later));
  });

  it('does not count a refused claim as work', async () => {
    await answerOf(Promise.all([claim('a'), claim('taken')]));
    const start = clock.now();
    await answerOf(claim('b'));
    expect(clock.now() - start).toBe(delay);
  });

  it('lets a claim wait for the work of earlier claims 200 ms at most', async () => {
    const start = clock.now();
    await answerOf(Promise.all([claim('a'), claim('b')]));
    await answerOf(claim('c'));
    expect(clock.now() - start).toBe(200 + delay);
    expect(asked).toEqual([['a', 'b'], ['c']]);
  });

  it('retries the claims that have time left when a call fails', async () => {
    const unanswered = (): Promise<never> =>
      clock.sleep(seconds(3)).then(() => {
        throw new CausewayError('timed-out', 'no answer');
      });
    answers = [unanswered];
    const both = [claim('hasty', seconds(2)), claim('patient')];
    expect(await answerOf(Promise.all(both))).toEqual(['timed-out', 'patient']);
    expect(asked).toEqual([['hasty', 'patient'], ['patient']]);
    expect(retries).toEqual([false, true]);
  });

  it('does not let a claim wait for earlier claims beyond its own timeout', async () => {
    answers = [() => clock.sleep(seconds(20)).then(() => ({ outcomes: [outcomeFor('a')], epoch: 1n }))];
    const first = claim('a');
    await clock.advance(milliseconds(1));
    const hasty = claim('b', seconds(1));
    expect(await answerOf(hasty)).toBe('timed-out');
    expect(clock.now()).toBeLessThan(seconds(2));
    expect(await answerOf(first)).toBe('a');
  });

  it('a refusal of the whole call refuses each claim', async () => {
    answers = [() => Promise.reject(new CausewayError('invalid-argument', 'no'))];
    expect(await answerOf(Promise.all([claim('a'), claim('b')]))).toEqual(['invalid-argument', 'invalid-argument']);
  });
});
