import { assertNever, type Name, type NetworkId, parseNetworkId } from '@causeway/model';
import { claimCodec, type Held, type UnknownClaim } from './claim-codec.ts';
import { object } from './codec.ts';

/** Value of the key of a VNI: who has the VNI. */
export type VniClaim =
  /** `asked`: the request named this VNI. */
  | { readonly kind: 'network'; readonly network: NetworkId; readonly asked: boolean }
  /** The VNI of a deleted network. Some host may still hold it. */
  | { readonly kind: 'cooling'; readonly network: NetworkId; readonly name: Name; readonly asked: boolean }
  | UnknownClaim;

/** A VNI's claim with its revisions. `created` is the revision that took the VNI; the cooldown does not change it. */
export type ClaimedVni = Held<VniClaim>;

/** The holder in words. */
export function printVniClaim(claim: VniClaim): string {
  switch (claim.kind) {
    case 'network':
      return `network ${claim.network}`;
    case 'cooling':
      return `cooling after network "${claim.name}"`;
    case 'unknown':
      return 'holder that only a later version knows';
    default:
      return assertNever(claim);
  }
}

export const vniClaimCodec = claimCodec<VniClaim>({
  toJson: (claim) => {
    const { network, asked } = claim;
    const claimed = asked ? { asked: true } : {};
    return claim.kind === 'network' ? { network, ...claimed } : { cooling: { network, name: claim.name, ...claimed } };
  },
  fromJson: ({ network, asked, cooling }) => {
    if (typeof network === 'string') return { kind: 'network', network: network as NetworkId, asked: asked === true };
    const last = object(cooling);
    if (typeof last['network'] !== 'string' || typeof last['name'] !== 'string') return undefined;
    const [id, name] = [last['network'] as NetworkId, last['name'] as Name];
    return { kind: 'cooling', network: id, name, asked: last['asked'] === true };
  },
  fromText: (text) => {
    const id = parseNetworkId(text);
    return id.ok ? { kind: 'network', network: id.value, asked: false } : undefined;
  },
});
