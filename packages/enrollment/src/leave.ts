import { type Credential, formatPeer } from '@causeway/identity';
import { CausewayError, isCausewayError } from '@causeway/model';
import type { RemoveManagerRequest, RemoveManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { RemoveNodeRequest, RemoveNodeResponse } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { type Random, randomUuid, seconds } from '@causeway/runtime';
import type { Limits } from './door.ts';
import type { Membership } from './home.ts';
import { type Failure, unreachable } from './reachable.ts';

/** What a manager does for a member that wants to leave. Failures are CausewayErrors. */
export interface Exit {
  removeNode(request: RemoveNodeRequest, limits: Limits): Promise<RemoveNodeResponse>;
  removeManager(request: RemoveManagerRequest, limits: Limits): Promise<RemoveManagerResponse>;
  close(): void;
}

/** `address`: HOST:PORT. Opens no connection yet. */
export type OpenExit = (address: string, credential: Credential) => Exit;

export interface Leaving {
  readonly membership: Membership;
  readonly credential: Credential;
  /** HOST:PORT of managers. */
  readonly addresses: readonly string[];
  /** Also if endpoints are released with it, or etcd's majority is at risk. */
  readonly force: boolean;
}

/** The leader waits until the host has removed what it has of the endpoints. */
const removeWithin = seconds(20);

/**
 * Asks the managers to remove this member from the cluster. A member that is not known, or was removed, has left already.
 * @throws CausewayError as RemoveNode and RemoveManager; manager-unavailable and timed-out with the addresses
 */
export async function leave(
  { open, random }: { readonly open: OpenExit; readonly random: Random },
  leaving: Leaving,
  signal: AbortSignal,
): Promise<void> {
  const requestId = randomUuid(random);
  const failures: Failure[] = [];
  for (const address of leaving.addresses) {
    const exit = open(address, leaving.credential);
    try {
      return await remove(exit, requestId, leaving, { timeout: removeWithin, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!isCausewayError(error)) throw error;
      if (hasLeft.has(error.code)) return;
      if (error.kind !== 'unavailable') throw error;
      failures.push({ address, error });
    } finally {
      exit.close();
    }
  }
  throw unreachable(`no manager lets ${formatPeer(leaving.membership.name)} leave`, failures);
}

const hasLeft: ReadonlySet<string> = new Set<CausewayError['code']>([
  'node-unknown',
  'manager-unknown',
  'node-removed',
  'manager-removed',
]);

async function remove(exit: Exit, requestId: string, { membership, force }: Leaving, limits: Limits): Promise<void> {
  const { role, id } = membership.name;
  switch (role) {
    case 'agent':
      return void (await exit.removeNode({ requestId, node: id, force }, limits));
    case 'manager':
      return void (await exit.removeManager({ requestId, name: id, force }, limits));
    case 'operator':
      throw new CausewayError('invalid-argument', 'an operator does not leave: remove the context');
  }
}
