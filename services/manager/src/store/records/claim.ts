import { assertNever, type EndpointId, type Name, type NodeId, parseEndpointId } from '@causeway/model';
import { claimCodec, type Held, type UnknownClaim } from './claim-codec.ts';
import { object } from './codec.ts';

/** Value of the key of an address, or of a MAC address with a claim of its own: who has it. */
export type Claim =
  /** `asked`: the request named this address. */
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointId; readonly asked: boolean }
  | { readonly kind: 'gateway' }
  /** An address outside of the cluster that the request for the network names. */
  | { readonly kind: 'aux'; readonly name: string }
  | { readonly kind: 'reservation'; readonly purpose: string }
  /** A freed address that some host may still hold. During the cooldown only an endpoint of the same name may have it. */
  | { readonly kind: 'cooling'; readonly endpointName: Name; readonly node: NodeId }
  | UnknownClaim;

/** A claim with its revisions: `created` is the revision that took the address, `revision` the last change of holder. */
export type Claimed = Held<Claim>;

export type ClaimKind = Claim['kind'];

/** The holder in words: `endpoint 5f…`, `gateway`, `reservation "printer"`. */
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
    case 'unknown':
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
