import { CausewayError, isCausewayError } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Duration } from '@causeway/runtime';
import type { Managers } from '../clients.ts';
import { appliedText } from '../render/endpoint.ts';
import { formatSpan } from '../render/time.ts';
import { present } from './present.ts';

export interface Waited {
  /** The newest known state of the endpoint. */
  readonly endpoint: Endpoint;
  /** Absent: every ready host has the endpoint. */
  readonly problem?: CausewayError;
}

/**
 * Waits for the hosts. The endpoint exists even if they are slow, so the end of the time is an outcome and not an error.
 */
export async function waitApplied(
  managers: Pick<Managers, 'waitEndpoint' | 'getEndpoint'>,
  known: Endpoint,
  timeout: Duration,
): Promise<Waited> {
  try {
    const waited = await managers.waitEndpoint({ endpoint: known.id, atLeast: known.revision });
    return { endpoint: present(waited.endpoint, 'endpoint') };
  } catch (error) {
    if (!isCausewayError(error) || error.kind !== 'unavailable') throw meanwhile(error, known);
    if (error.code !== 'timed-out') return { endpoint: known, problem: error };
    const endpoint = await lookAgain(managers, known);
    return { endpoint, problem: notApplied(endpoint, timeout, error) };
  }
}

/** The endpoint as the managers see it now; as `known` when they do not answer. */
export async function lookAgain(managers: Pick<Managers, 'getEndpoint'>, known: Endpoint): Promise<Endpoint> {
  try {
    return (await managers.getEndpoint({ endpoint: known.id, atLeast: known.revision })).endpoint ?? known;
  } catch (error) {
    if (isCausewayError(error) && error.kind === 'unavailable') return known;
    throw meanwhile(error, known);
  }
}

/**
 * The endpoint existed a moment ago. The error names it by its name, because the caller did not use the id that was not
 * found.
 */
function meanwhile(error: unknown, { id, name }: Endpoint): unknown {
  if (!isCausewayError(error, 'endpoint-unknown')) return error;
  const message = `endpoint ${name} was detached meanwhile`;
  return new CausewayError('endpoint-unknown', message, { endpoint: id }, { cause: error });
}

function notApplied(endpoint: Endpoint, timeout: Duration, cause: CausewayError): CausewayError {
  const state = endpoint.applied === undefined ? '' : ` (${appliedText(endpoint.applied)})`;
  const message = `endpoint ${endpoint.name} is not applied on every ready host after ${formatSpan(timeout)}${state}`;
  return new CausewayError('timed-out', message, { endpoint: endpoint.name }, { cause });
}
