import type { Network, Vni } from '@causeway/model';
import { vniClaim } from '../ipam/network-claims.ts';
import type { Keys } from '../store/keys.ts';
import { type ClaimedVni, printVniClaim } from '../store/records/vni-claim.ts';
import type { Versioned, View } from '../store/view.ts';
import type { Slot } from './claim-slot.ts';

export function vniSlots(view: View, keys: Keys): readonly Slot[] {
  const expected = new Map<Vni, Versioned<Network>[]>();
  for (const network of view.networks.values()) {
    const { vni } = network.value;
    expected.set(vni, [...(expected.get(vni) ?? []), network]);
  }
  return [...new Set([...expected.keys(), ...view.vnis.keys()])].flatMap((vni) => {
    const networks = expected.get(vni) ?? [];
    const claimed = view.vnis.get(vni);
    const network = networks[0]?.value.id ?? holderOf(claimed);
    return network === undefined
      ? [] // a cooling claim, and a claim that only a later version knows, has no network to compare with
      : [
          {
            key: keys.vni(vni),
            subject: { vni },
            network,
            expected: networks.map(({ value, revision }) => {
              const words = `network "${value.name}" (${value.id})`;
              const { value: claim } = vniClaim(value, keys, false);
              return { words, value: claim, record: { key: keys.network(value.id), revision } };
            }),
            present: claimed && {
              words: printVniClaim(claimed.claim),
              revision: claimed.revision,
              isExpected: holderOf(claimed) === networks[0]?.value.id,
              standsAlone: false,
            },
          },
        ];
  });
}

function holderOf(claimed: ClaimedVni | undefined): Network['id'] | undefined {
  return claimed?.claim.kind === 'network' ? claimed.claim.network : undefined;
}
