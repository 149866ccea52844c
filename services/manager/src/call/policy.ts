import { CausewayError } from '@causeway/model';
import type { CallContext } from './context.ts';
import { formatIdentity, type Identity } from './identity.ts';
import type { Naming } from './named-object.ts';

export type Role = Identity['kind'];

/** The access rule of one method. `api/index.ts` has the rules of all methods. */
export interface Rule<Request = unknown> {
  readonly may: readonly Role[];
  /** Ids of the nodes that a request acts for. An agent may name only its own node. */
  readonly nodes?: (request: Request) => readonly string[];
  /** Names of the managers that a request acts for. A manager may name only itself. */
  readonly managers?: (request: Request) => readonly string[];
  /** The object that a request names, for the event of a refusal. Absent: requests name none. */
  readonly object?: Naming<Request>;
  /** Any manager can answer, but the leader knows more. Another manager answers when the leader does not. */
  readonly leaderFirst?: true;
}

export const operators: Rule = { may: ['operator'] };
export const agents: Rule = { may: ['agent'] };
/** For operators, and for agents: the plan of the call allows an agent only what is of its own node. */
export const operatorsAndAgents: Rule = { may: ['operator', 'agent'] };
/** Also for a host that wants to join, which has no certificate yet. */
export const joinersToo: Rule = { may: ['joiner', 'operator', 'agent', 'manager'] };
export const joiners: Rule = { may: ['joiner'] };
export const everyone: Rule = { may: ['operator', 'agent', 'manager'] };
export const managers: Rule = { may: ['manager'] };
export const managersToo: Rule = { may: ['operator', 'manager'] };
export const readable: Rule = { ...everyone, leaderFirst: true };

/** For an agent that acts for these nodes. */
export function agentOf<Request>(nodes: (request: Request) => readonly string[]): Rule<Request> {
  return { ...agents, nodes };
}

/** For operators, and for an agent that acts for these nodes. */
export function operatorsAndAgentOf<Request>(nodes: (request: Request) => readonly string[]): Rule<Request> {
  return { ...operatorsAndAgents, nodes };
}

/** For operators, and for a manager that acts for these managers. */
export function operatorsAndManagerOf<Request>(managers: (request: Request) => readonly string[]): Rule<Request> {
  return { ...managersToo, managers };
}

/**
 * Decides whether a call is allowed.
 * @throws CausewayError permission-denied; certificate-missing: the caller has not joined the cluster
 */
export function authorize<Request>(
  { may, nodes, managers }: Rule<Request>,
  { method, peer }: Pick<CallContext, 'method' | 'peer'>,
  request: Request,
): void {
  if (!may.includes(peer.kind)) throw refusal(method, may, peer);
  if (peer.kind === 'agent') for (const node of nodes?.(request) ?? []) checkOwnNode(peer, node);
  if (peer.kind === 'manager') for (const name of managers?.(request) ?? []) checkOwnName(peer, name);
}

/** A manager acts for itself only. @throws CausewayError permission-denied */
function checkOwnName(peer: Extract<Identity, { kind: 'manager' }>, name: string): void {
  if (peer.name === name) return;
  const caller = formatIdentity(peer);
  const message = `${caller} may act for itself only, and the call names the manager ${name}`;
  throw new CausewayError('permission-denied', message, { field: 'name', value: name, caller });
}

function refusal(method: string, may: readonly Role[], peer: Identity): CausewayError {
  const whom = may.map((role) => `${role}s`).join(', ');
  if (peer.kind === 'joiner') {
    const message = `${method} is for ${whom}, and the caller has shown no certificate: run "causeway join" on a host, or use the credential of an operator`;
    return new CausewayError('certificate-missing', message, { method });
  }
  const message = `${formatIdentity(peer)} may not call ${method}: it is for ${whom}`;
  return new CausewayError('permission-denied', message, { method, caller: formatIdentity(peer) });
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
