import { CausewayError, type ErrorCode } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { reportOf, type SessionEnd } from './session-end.ts';

const failed = (code: ErrorCode): CausewayError => new CausewayError(code, 'why');
const end = (error: unknown, more: Partial<SessionEnd> = {}): SessionEnd => ({
  ...{ address: 'm1', error, isWelcomed: false, isLeft: false, lasted: milliseconds(1) },
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
