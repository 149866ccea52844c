import { assertNever, type Name, type NetworkId, parseNetworkId } from '@causeway/model';
import { claimCodec, type ForeignClaim, type Held } from './claim-codec.ts';
import { object } from './codec.ts';

/** Who has a VNI: the value of its key. */
export type VniClaim =
  /** `asked`: the network wanted this very one. */
  | { readonly kind: 'network'; readonly network: NetworkId; readonly asked: boolean }
  /** Of a network that was deleted, and perhaps still in some host's kernel. */
  | { readonly kind: 'cooling'; readonly network: NetworkId; readonly name: Name; readonly asked: boolean }
  | ForeignClaim;

/** A VNI's claim as the store has it: `created` is the revision that took the VNI; that it cools does not change it. */
export type ClaimedVni = Held<VniClaim>;

/** Holder in words, for people. */
export function printVniClaim(claim: VniClaim): string {
  switch (claim.kind) {
    case 'network':
      return `network ${claim.network}`;
    case 'cooling':
      return `cooling after network "${claim.name}"`;
    case 'foreign':
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
