import { CausewayError } from '@causeway/model';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { isCompacted, isTransient, readFailure, writeFailure } from './failure.ts';

describe('a transaction that failed after it was sent', () => {
  it.each([
    ['reply lost with its connection', status.UNAVAILABLE, 'Connection dropped', 'timed-out'],
    ['deadline', status.DEADLINE_EXCEEDED, 'Deadline exceeded after 7s', 'timed-out'],
    ['proposal waited for too long', status.UNAVAILABLE, 'etcdserver: request timed out', 'timed-out'],
    ['leader lost after it was proposed', status.UNAVAILABLE, 'etcdserver: leader changed', 'timed-out'],
    ['server stopping', status.UNAVAILABLE, 'etcdserver: server stopped', 'timed-out'],
    ['something new', status.UNKNOWN, 'etcdserver: whatever comes next', 'timed-out'],
    ['given up by us', status.CANCELLED, 'Cancelled on client', 'timed-out'],
    ['no leader to propose to', status.UNAVAILABLE, 'etcdserver: no leader', 'store-unavailable'],
    ['overload', status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', 'store-unavailable'],
    ['quota', status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', 'disk-full'],
    ['size', status.INVALID_ARGUMENT, 'etcdserver: request is too large', 'message-too-large'],
    [
      'size, for grpc',
      status.RESOURCE_EXHAUSTED,
      'grpc: received message larger than max (3 vs. 2)',
      'message-too-large',
    ],
    ['duplicate', status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request', 'invalid-argument'],
    ['lease', status.NOT_FOUND, 'etcdserver: requested lease not found', 'store-unavailable'],
    ['rights', status.PERMISSION_DENIED, 'etcdserver: permission denied', 'permission-denied'],
  ])('%s', (_, code, details, expected) => {
    const error = writeFailure(serviceError(code, details));
    expect(error.code).toBe(expected);
    expect(error.data['lease']).toBe(details.includes('lease') ? 'gone' : undefined);
  });
});

describe('a read that failed', () => {
  it.each([
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded', 'store-unavailable', true],
    [status.UNAVAILABLE, 'etcdserver: leader changed', 'store-unavailable', true],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'permission-denied', false],
  ])('%s %s', (code, details, expected, transient) => {
    const error = serviceError(code, details);
    expect(readFailure(error, 'reading').code).toBe(expected);
    expect(isTransient(error)).toBe(transient);
  });

  it('knows compacted from future revisions', () => {
    const compacted = 'etcdserver: mvcc: required revision has been compacted';
    expect(isCompacted(serviceError(status.OUT_OF_RANGE, compacted))).toBe(true);
    const future = 'etcdserver: mvcc: required revision is a future revision';
    expect(isCompacted(serviceError(status.OUT_OF_RANGE, future))).toBe(false);
  });

  it('leaves an error that says what it is alone', () => {
    const error = new CausewayError('shutting-down', 'over');
    expect(readFailure(error, 'reading')).toBe(error);
  });
});

function serviceError(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata: new Metadata() });
}
