import { DecodeError, KernelError } from '@causeway/netlink';
import type { Failure } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import { kindOf, type Op } from '../kinds/table.ts';

export const succeeded: OpResult = { ok: true };

/** Errnos of every kind that mean "the object to delete is not there": its entry or namespace is absent, or its link. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENODEV']);

/** The result of an op that failed with this error. */
export function resultOf(op: Op, failure: Failure): OpResult {
  const isAbsent = absent.has(failure.errno) || kindOf(op)?.real.absent?.includes(failure.errno) === true;
  return op.op.endsWith('.delete') && isAbsent ? succeeded : { ok: false, ...failure };
}

/** Why the kernel refused. Any other error is a defect in Causeway, and is thrown again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof KernelError) return { errno: error.errno, message: error.detail };
  if (error instanceof DecodeError) return { errno: 'EBADMSG', message: error.message };
  // Errors of node:fs, from /proc/sys and directories.
  if (error instanceof Error && 'errno' in error && 'code' in error && typeof error.code === 'string') {
    return { errno: error.code, message: error.message };
  }
  throw error;
}
