import type { PeerName } from '@causeway/identity';
import type { NodeId } from '@causeway/model';

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
