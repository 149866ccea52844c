import { CausewayError, type Name } from '@causeway/model';
import type { Roster } from '../roster.ts';
import type { RemovalRecord } from './removal-record.ts';

interface ForgetManagerParts {
  readonly roster: Pick<Roster, 'has' | 'forgetGone'>;
  readonly record: Pick<RemovalRecord, 'read' | 'write'>;
}

/**
 * Removes a manager without its own etcd member from the roster, when the manager has stopped or crashed. A call that is
 * repeated with the same record finds out what the first try has done.
 * @throws CausewayError manager-unknown, invalid-argument (it runs), request-reused, store-unavailable, timed-out
 */
export async function forgetManager({ roster, record }: ForgetManagerParts, name: Name): Promise<void> {
  const progress = await record.read();
  if (progress === 'done') return;
  if (await roster.has(name)) {
    if (progress === undefined) await record.write('begun');
    if (!(await roster.forgetGone(name))) throw stillRuns(name);
  } else if (progress === undefined) throw unknownManager(name);
  await record.write('done');
}

/** A manager that runs cannot be removed: it would register again. */
export function stillRuns(name: Name): CausewayError {
  const message = `manager ${name} runs (a manager that died counts as running for 15 s) and has no etcd member to remove: stop the manager, then remove it`;
  return new CausewayError('invalid-argument', message, { field: 'name', value: name });
}

function unknownManager(name: Name): CausewayError {
  const message = `there is no manager "${name}": \`causeway manager list\` lists all managers`;
  return new CausewayError('manager-unknown', message, { field: 'name', value: name });
}
