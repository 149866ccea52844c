import { type Ip, macForIp, type NetworkId, type NodeId, type Vni } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import type { Standing } from '../feed/holdings.ts';
import type { Claimed } from '../store/claim.ts';
import type { Compare, Write } from '../store/store.ts';
import { type Intent, nothingToDo, type Planning, type Proposal } from './intent.ts';

/** A VNI whose network was deleted, and that this manager has known to be since `seenAt` on its monotonic clock. */
export interface CoolingVni {
  readonly vni: Vni;
  /** Of the deletion. */
  readonly revision: bigint;
  readonly seenAt: number;
}

/** An address that was freed, and that this manager has known to be since `seenAt` on its monotonic clock. */
export interface Cooling {
  readonly ip: Ip;
  /** The host that had it. */
  readonly node: NodeId;
  /** Of its release. */
  readonly revision: bigint;
  readonly seenAt: number;
}

export type Verdict =
  | { readonly kind: 'clear' }
  /** For a host that has a session: it will tell. */
  | { readonly kind: 'waits' }
  /** For hosts that cannot be asked, until then on the monotonic clock. */
  | { readonly kind: 'until'; readonly at: number };

/**
 * The rule: a freed address is given again when every host that can be asked has applied a revision at or after the
 * release, and those that cannot have been silent for the cooldown since it. `releaserSilentSince` is of the host that
 * had it, which may have left the network with it.
 */
export function judge(
  cooling: Cooling,
  standing: Standing,
  releaserSilentSince: number | undefined,
  now: number,
  cooldown: Duration,
): Verdict {
  if (standing.floor !== undefined && standing.floor < cooling.revision) return { kind: 'waits' };
  const silent = [standing.silentSince, releaserSilentSince].filter((since) => since !== undefined);
  if (silent.length === 0) return { kind: 'clear' };
  const at = Math.max(cooling.seenAt, ...silent) + cooldown;
  return now >= at ? { kind: 'clear' } : { kind: 'until', at };
}

/**
 * The rule: a VNI is given again when the cooldown has passed since its network was deleted, every host that can be asked
 * has said that nothing of the network is left, and those that cannot have been silent for the cooldown. `standing` is of
 * the deleted network: those that have said so are no part of it.
 */
export function judgeVni({ seenAt }: CoolingVni, standing: Standing, now: number, cooldown: Duration): Verdict {
  if (standing.floor !== undefined) return { kind: 'waits' };
  const at = Math.max(seenAt, standing.silentSince ?? seenAt) + cooldown;
  return now >= at ? { kind: 'clear' } : { kind: 'until', at };
}

/** Gives a VNI free that is judged clear when this is planned and cools since the revision that was judged; tells which. */
export function thawVni(judged: () => Pick<CoolingVni, 'vni' | 'revision'> | undefined): Intent<Vni | undefined> {
  return {
    plan: ({ view, keys }) => {
      const clear = judged();
      if (clear === undefined) return nothingToDo(undefined);
      const { vni, revision } = clear;
      const claimed = view.vnis.get(vni);
      const key = keys.vni(vni);
      if (claimed?.claim.kind !== 'cooling' || claimed.revision !== revision) return nothingToDo(undefined);
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

/** Gives addresses free that are judged clear when this is planned and cool since the revision that was judged. */
export function thaw(network: NetworkId, judged: () => readonly Pick<Cooling, 'ip' | 'revision'>[]): Intent<number> {
  return {
    plan: (planning) => {
      const { view } = planning;
      const addresses = view.addressesOf(network);
      const still = judged()
        .filter(({ ip, revision }) => isCooling(addresses.get(ip), revision))
        .map(({ ip }) => ip);
      return freeing(network, still, planning);
    },
  };
}

/** Takes claims away that a network left behind when it was deleted. */
export function sweep(network: NetworkId, most: number): Intent<number> {
  return {
    plan: (planning) => {
      const { view } = planning;
      const left = view.networks.has(network) ? [] : [...view.addressesOf(network).keys()].slice(0, most);
      return freeing(network, left, planning);
    },
  };
}

function isCooling(claimed: Claimed | undefined, revision: bigint): boolean {
  return claimed?.claim.kind === 'cooling' && claimed.revision === revision;
}

/** With the Ethernet addresses that were claimed, and freed, with them. */
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
