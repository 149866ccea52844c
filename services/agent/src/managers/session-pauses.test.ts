import { CausewayError, type ErrorCode } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { SessionEnd } from './session-end.ts';
import { SessionPauses } from './session-pauses.ts';

const end = (code: ErrorCode, more: Partial<SessionEnd> = {}): SessionEnd => ({
  address: 'm1',
  error: new CausewayError(code, 'why'),
  ...{ isWelcomed: false, isLeft: false, lasted: milliseconds(1) },
  ...more,
});
const silent = end('manager-unavailable');
const taken = end('session-taken');
const broken = end('manager-unavailable', { isWelcomed: true });

const pauses = (seed = 1): SessionPauses => new SessionPauses(new SeededRandom(seed), () => 3);
const spansOf = (of: SessionPauses, ...ends: SessionEnd[]): number[] => ends.map((each) => of.after(each, false).span);
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe('the pause after a session', () => {
  it('grows to half a second while no manager welcomes the agent', () => {
    const spans = spansOf(pauses(), ...times(12, silent));
    expect(spans[0]).toBeLessThanOrEqual(50);
    for (const span of spans.slice(4)) {
      expect(span).toBeGreaterThanOrEqual(250);
      expect(span).toBeLessThanOrEqual(500);
    }
  });

  it('is short again after a welcome', () => {
    const of = pauses();
    spansOf(of, ...times(12, silent));
    of.welcomed(milliseconds(0));
    expect(of.after(broken, false).span).toBeLessThanOrEqual(50);
  });

  it('is five seconds after a refusal', () => {
    expect(pauses().after(end('feed-unsupported'), false)).toEqual({ kind: 'pause', span: seconds(5) });
  });

  it('grows to a minute while another agent takes the session, until a session lasts', () => {
    const of = pauses();
    const spans = spansOf(of, ...times(12, { ...taken, isWelcomed: true }));
    expect(spans[0]).toBeLessThanOrEqual(1_000);
    expect(spans.at(-1)).toBeGreaterThanOrEqual(30_000);
    const [settled, longer] = [milliseconds(180_000), milliseconds(180_001)];
    expect(of.after({ ...taken, lasted: settled }, false).span).toBeGreaterThanOrEqual(30_000);
    expect(of.after({ ...taken, lasted: longer }, false).span).toBeLessThanOrEqual(1_000);
  });
});

describe('the agents of a large cluster', () => {
  const span = seconds(25);
  const welcomed = (seed = 1): SessionPauses => {
    const of = pauses(seed);
    of.welcomed(span);
    return of;
  };

  it('come back evenly spread over the span that the manager has named', () => {
    const agents = 2_000;
    const tenths = times(10, 0);
    for (let seed = 0; seed < agents; seed++) {
      const { kind, span: pause } = welcomed(seed).after(broken, false);
      expect(kind).toBe('turn');
      const tenth = Math.floor((10 * pause) / span);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) {
      expect(count).toBeGreaterThan(0.7 * (agents / 10));
      expect(count).toBeLessThan(1.3 * (agents / 10));
    }
  });

  it('try each manager twice, then wait a whole span, so that they stay spread', () => {
    const of = welcomed();
    of.after(broken, false);
    const kinds = times(12, silent).map((each) => of.after(each, false));
    expect(kinds.map(({ kind }) => kind)).toEqual([...times(5, 'pause'), 'turn', ...times(5, 'pause'), 'turn']);
    expect(kinds.filter(({ kind }) => kind === 'turn').map((each) => each.span)).toEqual([span, span]);
  });

  it.each([
    ['while an attach waits for the session', broken, true],
    ['when the agent itself has left a relayed session', { ...broken, isLeft: true }, false],
  ])('do not wait for their turn %s', (_, ended, isAwaited) => {
    const { kind, span: pause } = welcomed().after(ended, isAwaited);
    expect(kind).toBe('pause');
    expect(pause).toBeLessThanOrEqual(50);
  });

  it('take the span of the newest session', () => {
    const of = welcomed();
    of.welcomed(milliseconds(125));
    expect(of.after(broken, false).kind).toBe('pause');
  });
});
