import { type Failure, type Op, printOp } from '@causeway/datapath';
import type { Log } from '@causeway/runtime';

/** Maximum number of ops of one pass that are logged. */
const mostLogged = 50;

/** Logs each op as its equivalent command; of many ops only the first. */
export function logOps(log: Log, ops: readonly Op[]): void {
  for (const op of ops.slice(0, mostLogged)) log.debug('kernel.op', { op: printOp(op) });
  if (ops.length > mostLogged) log.debug('kernel.ops', { more: ops.length - mostLogged });
}

/** Logs failures only when they differ from those before, so that a retry does not log them again. */
export function logFailures(log: Log, failures: readonly Failure[], before: readonly Failure[]): void {
  if (failures.map(explain).join() === before.map(explain).join()) return;
  for (const failure of failures.slice(0, mostLogged)) log.warn('kernel.refused', { message: explain(failure) });
}

export function explain({ op, errno, message }: Failure): string {
  return `${printOp(op)}: ${errno}${message === '' ? '' : ` (${message})`}`;
}
