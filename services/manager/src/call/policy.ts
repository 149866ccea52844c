import { CausewayError } from '@causeway/model';
import type {
  ClaimEndpointRequest,
  ClaimEndpointsRequest,
  ReleaseEndpointRequest,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { CallContext } from './context.ts';
import { formatIdentity, type Identity } from './identity.ts';

export type Role = Exclude<Identity['kind'], 'unproved'>;

/** The access rule of one method. */
export interface Rule<Request = unknown> {
  readonly may: readonly Role[];
  /** Ids of the nodes that a request acts for. An agent may name only its own node. */
  readonly nodes?: (request: Request) => readonly string[];
  /** Any manager can answer, but the leader knows more. Another manager answers when the leader does not. */
  readonly alone?: true;
}

const operators: Rule = { may: ['operator'] };
/** For calls that agents also make on behalf of the operators of their host. */
const operatorsAndAgents: Rule = { may: ['operator', 'agent'] };
const everyone: Rule = { may: ['operator', 'agent', 'manager'] };
const managersToo: Rule = { may: ['operator', 'manager'] };
const readable: Rule = { ...everyone, alone: true };

/** Who may call each method. */
export const policy = {
  network: {
    createNetwork: operators,
    getNetwork: readable,
    listNetworks: readable,
    watchNetworks: everyone,
    updateNetwork: operators,
    deleteNetwork: operators,
  },
  endpoint: {
    claimEndpoint: agentOf(({ nodeId }: ClaimEndpointRequest) => [nodeId]),
    claimEndpoints: agentOf(({ claims }: ClaimEndpointsRequest) => claims.map(({ nodeId }) => nodeId)),
    releaseEndpoint: agentOf(({ nodeId }: ReleaseEndpointRequest) => [nodeId]),
    detachEndpoint: operatorsAndAgents,
    getEndpoint: readable,
    listEndpoints: readable,
    watchEndpoints: everyone,
    waitEndpoint: everyone,
  },
  ipam: {
    showSubnets: everyone,
    reserveAddress: operators,
    releaseAddress: operators,
    getAddressHistory: everyone,
    checkClaims: operators,
  },
  node: { getNode: readable, listNodes: readable, watchNodes: everyone },
  cluster: {
    getStatus: everyone,
    verify: operators,
    watchEvents: operators,
    listManagers: everyone,
    describeManager: managersToo,
    removeManager: operators,
    createBackup: operators,
  },
  /** The session's Hello names the node, and `checkOwnNode` then checks it. */
  session: { connect: { may: ['agent'] } },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Rule<never>>>>>;

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

function agentOf<Request>(nodes: (request: Request) => readonly string[]): Rule<Request> {
  return { may: ['agent'], nodes };
}
