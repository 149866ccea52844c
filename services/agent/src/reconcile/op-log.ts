import { type Failure, type Op, printOp } from '@causeway/datapath';
import type { Log } from '@causeway/runtime';

/** Of the ops of one pass. */
const mostLogged = 50;

/** Each as the command it equals; of a long run, the first ones. */
export function logOps(log: Log, ops: readonly Op[]): void {
  for (const op of ops.slice(0, mostLogged)) log.debug('kernel.op', { op: printOp(op) });
  if (ops.length > mostLogged) log.debug('kernel.ops', { more: ops.length - mostLogged });
}

/** Once for each new set of them, not at every try. */
export function logFailures(log: Log, failures: readonly Failure[], before: readonly Failure[]): void {
  if (failures.map(explain).join() === before.map(explain).join()) return;
  for (const failure of failures.slice(0, mostLogged)) log.warn('kernel.refused', { message: explain(failure) });
}

export function explain({ op, errno, message }: Failure): string {
  return `${printOp(op)}: ${errno}${message === '' ? '' : ` (${message})`}`;
}
