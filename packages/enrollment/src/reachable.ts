import { CausewayError, fail, ok, type Result } from '@causeway/model';

/** What came of asking one manager. */
export interface Heard<Value> {
  readonly address: string;
  readonly outcome: Result<Value, CausewayError>;
}

/**
 * Whether another manager may have a better answer: this one did not answer, or it is not a manager of the cluster that the
 * token names.
 */
export function isOfAddress({ kind, code }: CausewayError): boolean {
  return kind === 'unavailable' || code === 'ca-mismatch' || code === 'certificate-missing';
}

/**
 * The managers with which a joiner can go on, in the order in which they were given. A refusal that every manager would
 * repeat comes first, then what is wrong with the addresses.
 */
export function chooseManagers<Value extends object>(
  heard: readonly Heard<Value>[],
): Result<readonly (Value & { readonly address: string })[], CausewayError> {
  const refusal = heard.find(({ outcome }) => !outcome.ok && !isOfAddress(outcome.error));
  if (refusal !== undefined && !refusal.outcome.ok) return refusal.outcome;
  const open = heard.flatMap(({ address, outcome }) => (outcome.ok ? [{ ...outcome.value, address }] : []));
  if (open.length > 0) return ok(open);
  return fail(
    unreachable(
      'no manager admits this host',
      heard.flatMap(({ address, outcome }) => (outcome.ok ? [] : [{ address, error: outcome.error }])),
    ),
  );
}

export interface Failure {
  readonly address: string;
  readonly error: CausewayError;
}

/** One error for all managers. It has the code of the failure that is not just silence, if there is one. */
export function unreachable(summary: string, failures: readonly Failure[]): CausewayError {
  const worst = failures.find(({ error }) => error.kind !== 'unavailable') ?? failures[0];
  if (worst === undefined) return new CausewayError('invalid-argument', 'no address of a manager is given');
  const message = failures.map(({ address, error }) => `${address}: ${error.message}`).join('; ');
  const at = failures.map(({ address }) => address).join(',');
  const { code, data } = worst.error;
  return new CausewayError(code, `${summary}: ${message}`, { ...data, at }, { cause: worst.error });
}

/** What to tell about the managers that are not used. */
export function remarksOn(heard: readonly Heard<unknown>[]): readonly string[] {
  return heard.flatMap(({ address, outcome }) =>
    outcome.ok ? [] : [`${address} is not used: ${outcome.error.message}`],
  );
}
