import { CausewayError } from '@causeway/model';
import type { CallContext } from './context.ts';
import { formatIdentity, type Identity } from './identity.ts';

export type Role = Exclude<Identity['kind'], 'unproved'>;

/** The access rule of one method. `api/index.ts` has the rules of all methods. */
export interface Rule<Request = unknown> {
  readonly may: readonly Role[];
  /** Ids of the nodes that a request acts for. An agent may name only its own node. */
  readonly nodes?: (request: Request) => readonly string[];
  /** Any manager can answer, but the leader knows more. Another manager answers when the leader does not. */
  readonly leaderFirst?: true;
}

export const operators: Rule = { may: ['operator'] };
export const agents: Rule = { may: ['agent'] };
/** For calls that agents also make on behalf of the operators of their host. */
export const operatorsAndAgents: Rule = { may: ['operator', 'agent'] };
/** Also for a host that wants to join, which has no certificate yet. */
export const joinersToo: Rule = { may: ['joiner', 'operator', 'agent', 'manager'] };
export const joiners: Rule = { may: ['joiner'] };
export const everyone: Rule = { may: ['operator', 'agent', 'manager'] };
export const managersToo: Rule = { may: ['operator', 'manager'] };
export const readable: Rule = { ...everyone, leaderFirst: true };

/** For an agent that acts for these nodes. */
export function agentOf<Request>(nodes: (request: Request) => readonly string[]): Rule<Request> {
  return { ...agents, nodes };
}

/**
 * Decides whether a call is allowed. A connection that proves no identity may call everything: this is how a cluster
 * without mutual TLS works.
 * @throws CausewayError permission-denied
 */
export function authorize<Request>(
  { may, nodes }: Rule<Request>,
  { method, peer }: Pick<CallContext, 'method' | 'peer'>,
  request: Request,
): void {
  if (peer.kind === 'unproved') return;
  if (!may.includes(peer.kind)) {
    const message = `${formatIdentity(peer)} may not call ${method}: it is for ${may.map((role) => `${role}s`).join(', ')}`;
    throw new CausewayError('permission-denied', message, { method, caller: formatIdentity(peer) });
  }
  if (peer.kind === 'agent') for (const node of nodes?.(request) ?? []) checkOwnNode(peer, node);
}

/** An agent acts for its own node only. @throws CausewayError permission-denied */
export function checkOwnNode(peer: Identity, node: string): void {
  if (peer.kind !== 'agent' || peer.node === node) return;
  const message = `${formatIdentity(peer)} may act for its own node only, and the call names node ${node}`;
  throw new CausewayError('permission-denied', message, {
    field: 'node_id',
    value: node,
    caller: formatIdentity(peer),
  });
}
