import type { PeerName } from '@causeway/identity';
import { CausewayError, type NodeId, parseNodeId } from '@causeway/model';

/** Who is at the other end of a connection, as its certificate proves. */
export type Identity =
  /** A host that wants to join: it has no certificate yet. `address`: where it calls from. */
  | { readonly kind: 'joiner'; readonly address: string }
  | { readonly kind: 'operator'; readonly name: string }
  /** The agent of this node, and of no other. */
  | { readonly kind: 'agent'; readonly node: NodeId }
  | { readonly kind: 'manager'; readonly name: string };

/** The identity in a certificate that was verified. */
export function identityOf({ role, id }: Pick<PeerName, 'role' | 'id'>): Identity {
  // The id of an agent is that of a node: `parsePeerName` has checked that.
  return role === 'agent' ? { kind: 'agent', node: id as NodeId } : { kind: role, name: id };
}

/** For people, and for the metadata of a call that a manager forwards: "agent/7c0e…". */
export function formatIdentity(identity: Identity): string {
  switch (identity.kind) {
    case 'joiner':
      return `joiner/${identity.address}`;
    case 'agent':
      return `agent/${identity.node}`;
    default:
      return `${identity.kind}/${identity.name}`;
  }
}

/**
 * Who a call is from. A manager that forwards a call says from whom the call came (`vouched`). Only a manager is
 * believed: from any other peer this metadata is ignored.
 * @throws CausewayError permission-denied: a manager vouches for an identity that this version does not know
 */
export function callerOf(peer: Identity, vouched: string | undefined): Identity {
  return peer.kind === 'manager' && vouched !== undefined ? parseIdentity(vouched) : peer;
}

/** @throws CausewayError permission-denied */
function parseIdentity(text: string): Identity {
  const [, kind = '', name = ''] = /^(joiner|operator|agent|manager)\/(.+)$/s.exec(text) ?? [];
  if (kind === 'joiner') return { kind, address: name };
  if (kind === 'operator' || kind === 'manager') return { kind, name };
  const node = parseNodeId(name);
  if (kind === 'agent' && node.ok) return { kind, node: node.value };
  throw new CausewayError('permission-denied', 'a manager forwarded the call without the identity of the caller');
}
