import type { CausewayError } from '@causeway/model';
import { failureCode } from './session-end.ts';

/**
 * Why no manager will welcome this host any more, whatever happens to the managers; undefined: one may. One manager is
 * enough to say that the host was removed, because that is a record of the whole cluster. A manager of another cluster says
 * nothing about the managers of the host's own cluster, so all must be of another.
 * `failures`: the last failure at each manager that was tried.
 */
export function refusalForEver(
  managers: readonly string[],
  failures: ReadonlyMap<string, CausewayError>,
): CausewayError | undefined {
  const removal = [...failures.values()].find((failure) => failureCode(failure) === 'node-removed');
  if (removal !== undefined) return removal;
  const isStrange = (address: string): boolean => failureCode(failures.get(address)) === 'cluster-mismatch';
  return managers.every(isStrange) ? failures.get(managers.at(-1) ?? '') : undefined;
}
