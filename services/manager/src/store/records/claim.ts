import { assertNever, type EndpointId, type Name, type NodeId, parseEndpointId } from '@causeway/model';
import { claimCodec, type ForeignClaim, type Held } from './claim-codec.ts';
import { object } from './codec.ts';

/** Who has an address, or an Ethernet address that needs a claim of its own: the value of its key. */
export type Claim =
  /** `asked`: the endpoint wanted this very address. */
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointId; readonly asked: boolean }
  | { readonly kind: 'gateway' }
  /** Something outside of the cluster that the network's intent names. */
  | { readonly kind: 'aux'; readonly name: string }
  | { readonly kind: 'reservation'; readonly purpose: string }
  /** Freed, and perhaps still in some host's kernel. Only an endpoint of the same name may have it before it is thawed. */
  | { readonly kind: 'cooling'; readonly endpointName: Name; readonly node: NodeId }
  | ForeignClaim;

/** A claim as the store has it: `created` is the revision that took the address, `revision` of the last change of holder. */
export type Claimed = Held<Claim>;

export type ClaimKind = Claim['kind'];

/** Holder in words, for people: `endpoint 5f…`, `gateway`, `reservation "printer"`. */
export function printClaim(claim: Claim): string {
  switch (claim.kind) {
    case 'endpoint':
      return `endpoint ${claim.endpoint}`;
    case 'gateway':
      return 'gateway';
    case 'aux':
      return `auxiliary address "${claim.name}"`;
    case 'reservation':
      return `reservation "${claim.purpose}"`;
    case 'cooling':
      return `cooling after endpoint "${claim.endpointName}"`;
    case 'foreign':
      return 'holder that only a later version knows';
    default:
      return assertNever(claim);
  }
}

export const addressClaimCodec = claimCodec<Claim>({
  toJson: (claim) => {
    switch (claim.kind) {
      case 'endpoint':
        return claim.asked ? { endpoint: claim.endpoint, asked: true } : { endpoint: claim.endpoint };
      case 'gateway':
        return { gateway: true };
      case 'aux':
        return { aux: claim.name };
      case 'reservation':
        return { reservation: { purpose: claim.purpose } };
      case 'cooling':
        return { cooling: { endpointName: claim.endpointName, node: claim.node } };
      default:
        return assertNever(claim);
    }
  },
  fromJson: ({ endpoint, asked, gateway, aux, reservation, cooling }) => {
    if (typeof endpoint === 'string')
      return { kind: 'endpoint', endpoint: endpoint as EndpointId, asked: asked === true };
    if (gateway === true) return { kind: 'gateway' };
    if (typeof aux === 'string') return { kind: 'aux', name: aux };
    const { purpose } = object(reservation);
    if (typeof purpose === 'string') return { kind: 'reservation', purpose };
    const { endpointName, node } = object(cooling);
    if (typeof endpointName === 'string' && typeof node === 'string')
      return { kind: 'cooling', endpointName: endpointName as Name, node: node as NodeId };
    return undefined;
  },
  fromText: (text) => {
    if (text === 'gateway') return { kind: 'gateway' };
    const id = parseEndpointId(text);
    return id.ok ? { kind: 'endpoint', endpoint: id.value, asked: false } : undefined;
  },
});
