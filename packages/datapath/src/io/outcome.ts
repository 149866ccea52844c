import { DecodeError, KernelError } from '@causeway/netlink';
import type { Failure } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import type { OpKind } from '../op.ts';

export const succeeded: OpResult = { ok: true };

/**
 * How the kernel says that what is to be deleted is not there: entry, namespace; link; route; address. EOPNOTSUPP is
 * a `master` entry of a link that is no port (any more).
 */
const absent: Readonly<Partial<Record<OpKind, ReadonlySet<string>>>> = {
  'link.delete': new Set(['ENOENT', 'ENODEV']),
  'address.delete': new Set(['ENOENT', 'ENODEV', 'EADDRNOTAVAIL']),
  'route.delete': new Set(['ENOENT', 'ENODEV', 'ESRCH']),
  'neighbour.delete': new Set(['ENOENT', 'ENODEV']),
  'fdb.delete': new Set(['ENOENT', 'ENODEV', 'EOPNOTSUPP']),
};

/** The result of an op that failed so. */
export function resultOf(op: OpKind, failure: Failure): OpResult {
  return absent[op]?.has(failure.errno) ? succeeded : { ok: false, ...failure };
}

/** Why the kernel refused. Anything else is a defect of ours, and thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof KernelError) return { errno: error.errno, message: error.detail };
  if (error instanceof DecodeError) return { errno: 'EBADMSG', message: error.message };
  // Of node:fs: /proc/sys, directories.
  if (error instanceof Error && 'errno' in error && 'code' in error && typeof error.code === 'string') {
    return { errno: error.code, message: error.message };
  }
  throw error;
}
