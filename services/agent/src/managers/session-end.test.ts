import { CausewayError, type ErrorCode } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { reportOf, type SessionEnd, SessionPauses } from './session-end.ts';

const failed = (code: ErrorCode): CausewayError => new CausewayError(code, 'why');
const end = (error: unknown, more: Partial<SessionEnd> = {}): SessionEnd => ({
  ...{ address: 'm1', error, isWelcomed: false, lasted: milliseconds(1) },
  ...more,
});

describe('the end of a session is logged', () => {
  it.each<[string, SessionEnd, string, string]>([
    ['no answer', end(failed('manager-unavailable')), 'warn', 'manager.unreachable'],
    ['a late answer', end(failed('timed-out')), 'warn', 'manager.unreachable'],
    ['no answer any more', end(failed('manager-unavailable'), { isWelcomed: true }), 'warn', 'session.ended'],
    ['a standby', end(failed('not-leader')), 'warn', 'session.refused'],
    ['another cluster', end(failed('cluster-mismatch')), 'error', 'session.refused'],
    ['another agent of this identity', end(failed('session-taken'), { isWelcomed: true }), 'error', 'session.ended'],
    ['a bug', end(new TypeError('why')), 'error', 'session.refused'],
  ])('%s', (_, ended, level, event) => {
    expect(reportOf(ended)).toMatchObject({ level, event, fields: { manager: 'm1', message: 'why' } });
  });

  it('with the code of its error', () => {
    expect(reportOf(end(failed('not-leader'))).fields.code).toBe('not-leader');
    expect(reportOf(end('why')).fields).toEqual({ manager: 'm1', code: 'internal', message: 'why' });
  });
});

describe('the pause after a session', () => {
  const pauses = (): SessionPauses => new SessionPauses(new SeededRandom(1));
  const spansOf = (of: SessionPauses, ...ends: SessionEnd[]): number[] => ends.map((each) => of.after(each));
  const silent = end(failed('manager-unavailable'));
  const taken = end(failed('session-taken'));

  it('grows to half a second while no manager welcomes the agent', () => {
    const spans = spansOf(pauses(), ...Array.from({ length: 12 }, () => silent));
    expect(spans[0]).toBeLessThanOrEqual(50);
    for (const span of spans.slice(4)) {
      expect(span).toBeGreaterThanOrEqual(250);
      expect(span).toBeLessThanOrEqual(500);
    }
  });

  it('is short again after a welcome', () => {
    const of = pauses();
    spansOf(of, ...Array.from({ length: 12 }, () => silent));
    expect(of.after({ ...silent, isWelcomed: true })).toBeLessThanOrEqual(50);
  });

  it('is five seconds after a refusal', () => {
    expect(pauses().after(end(failed('feed-unsupported')))).toBe(seconds(5));
  });

  it('grows to a minute while another agent takes the session, until a session lasts', () => {
    const of = pauses();
    const spans = spansOf(of, ...Array.from({ length: 12 }, () => ({ ...taken, isWelcomed: true })));
    expect(spans[0]).toBeLessThanOrEqual(1_000);
    expect(spans.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(of.after({ ...taken, lasted: seconds(180) })).toBeGreaterThanOrEqual(30_000);
    expect(of.after({ ...taken, lasted: milliseconds(180_001) })).toBeLessThanOrEqual(1_000);
  });
});
