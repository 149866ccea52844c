import { type Ip, macForIp, type NetworkId, type Vni } from '@causeway/model';
import type { CoolingAddress, CoolingVni } from '../ipam/cooldown.ts';
import type { Claimed } from '../store/records/claim.ts';
import type { ClaimedVni } from '../store/records/vni-claim.ts';
import type { Compare, Write } from '../store/store.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';

/**
 * Frees addresses whose cooldown is over when this is planned, and whose claims still have the revision that was judged.
 * Replies with their number.
 */
export function freeAddresses(
  network: NetworkId,
  over: () => readonly Pick<CoolingAddress, 'ip' | 'revision'>[],
): Intent<number> {
  return {
    plan: (planning) => {
      const claims = planning.view.addressesOf(network);
      const still = over()
        .filter(({ ip, revision }) => isCooling(claims.get(ip), revision))
        .map(({ ip }) => ip);
      return freeing(network, still, planning);
    },
  };
}

/** Frees a VNI under the same conditions. Replies with the VNI. */
export function freeVni(over: () => Pick<CoolingVni, 'vni' | 'revision'> | undefined): Intent<Vni | undefined> {
  return {
    plan: ({ view, keys }) => {
      const judged = over();
      if (judged === undefined) return nothingToDo(undefined);
      const { vni, revision } = judged;
      const key = keys.vni(vni);
      if (!isCooling(view.vnis.get(vni), revision)) return nothingToDo(undefined);
      return {
        compares: [{ kind: 'unchanged', key, modRevision: revision }],
        writes: [{ kind: 'delete', key }],
        takes: [],
        events: [],
        reply: vni,
      };
    },
  };
}

/** Removes claims that a deleted network left behind, at most `most`. Replies with their number. */
export function removeClaimsOfDeleted(network: NetworkId, most: number): Intent<number> {
  return {
    plan: (planning) => {
      const { view } = planning;
      const left = view.networks.has(network) ? [] : [...view.addressesOf(network).keys()].slice(0, most);
      return freeing(network, left, planning);
    },
  };
}

/** Only the claim that was judged: an address that was given again, and freed again, has a cooldown of its own. */
function isCooling(claimed: Claimed | ClaimedVni | undefined, revision: bigint): boolean {
  return claimed?.claim.kind === 'cooling' && claimed.revision === revision;
}

/** Also frees the MAC addresses that were claimed and freed with the addresses. */
function freeing(network: NetworkId, ips: readonly Ip[], { view, keys }: Planning): Proposal<number> {
  const isGone = !view.networks.has(network);
  const macs = new Map(
    ips.map(macForIp).flatMap((mac) => {
      const claimed = view.macsOf(network).get(mac);
      return claimed !== undefined && (isGone || claimed.claim.kind === 'cooling') ? [[mac, claimed] as const] : [];
    }),
  );
  const claims = [
    ...ips.map((ip) => ({ key: keys.address(network, ip), claimed: view.addressesOf(network).get(ip) })),
    ...Array.from(macs, ([mac, claimed]) => ({ key: keys.mac(network, mac), claimed })),
  ];
  return {
    compares: claims.map(({ key, claimed }): Compare => {
      return { kind: 'unchanged', key, modRevision: claimed?.revision ?? 0n };
    }),
    writes: claims.map(({ key }): Write => ({ kind: 'delete', key })),
    takes: [],
    events: [],
    reply: ips.length,
  };
}
