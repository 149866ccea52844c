import type { Ip, NodeId, Vni } from '@causeway/model';
import type { Duration } from '@causeway/runtime';

/** Progress of the hosts that may still hold state of a network. */
export interface HostsProgress {
  /**
   * The lowest revision that any of these hosts with a session has reported as applied; undefined: none of these hosts
   * has a session.
   */
  readonly floor?: bigint;
  /**
   * The latest time at which one of these hosts lost its session and got no new one, on the monotonic clock; undefined:
   * each of these hosts has a session.
   */
  readonly silentSince?: number;
}

/** A freed address that is not given again yet. */
export interface CoolingAddress {
  readonly ip: Ip;
  /** The host that had the address. */
  readonly node: NodeId;
  /** Revision of the release. */
  readonly revision: bigint;
  /** When this manager saw the release, on its monotonic clock. */
  readonly seenAt: number;
}

/** The VNI of a deleted network, not given again yet. */
export interface CoolingVni {
  readonly vni: Vni;
  /** Revision of the deletion. */
  readonly revision: bigint;
  /** When this manager saw the deletion, on its monotonic clock. */
  readonly seenAt: number;
}

export type CooldownVerdict =
  /** The address or the VNI may be given again. */
  | { readonly kind: 'over' }
  /** A host that has a session has not reported yet. */
  | { readonly kind: 'waits-for-hosts' }
  /** The managers wait for hosts without a session, until this time on the monotonic clock. */
  | { readonly kind: 'waits-until'; readonly at: number };

export interface CooldownFacts {
  /** Progress of the network that had the address or the VNI. */
  readonly progress: HostsProgress;
  readonly now: number;
  /** How long the managers wait for hosts without a session. */
  readonly cooldown: Duration;
}

/**
 * The rule: a freed address is given again when two things hold. Each host with a session has applied the release. Each
 * host without a session has been silent for the whole cooldown, counted from the release. `releaserSilentSince` is
 * about the host that had the address: the network's progress does not cover a host that left the network with it.
 */
export function judgeAddress(
  { revision, seenAt }: CoolingAddress,
  { progress, now, cooldown }: CooldownFacts,
  releaserSilentSince: number | undefined,
): CooldownVerdict {
  if (progress.floor !== undefined && progress.floor < revision) return { kind: 'waits-for-hosts' };
  const silent = [progress.silentSince, releaserSilentSince].filter((since) => since !== undefined);
  return silent.length === 0 ? { kind: 'over' } : from(Math.max(seenAt, ...silent) + cooldown, now);
}

/**
 * The rule: a VNI is given again when three things hold. The cooldown has passed since its network was deleted. Each host
 * with a session has reported that it holds nothing of the network; such a host is no longer part of `progress`. Each
 * host without a session has been silent for the whole cooldown.
 */
export function judgeVni({ seenAt }: CoolingVni, { progress, now, cooldown }: CooldownFacts): CooldownVerdict {
  if (progress.floor !== undefined) return { kind: 'waits-for-hosts' };
  return from(Math.max(seenAt, progress.silentSince ?? seenAt) + cooldown, now);
}

function from(at: number, now: number): CooldownVerdict {
  return now >= at ? { kind: 'over' } : { kind: 'waits-until', at };
}
