import { type Duration, seconds } from '@causeway/runtime';
import { areDistinct, mostGenerations } from '../pair.ts';
import { holdersOf, informedPeers, isHeld } from './holders.ts';
import { hasLostNewest } from './peer-plan.ts';
import type { Delay, Keyring, NodeView, OwnGeneration, RekeyReason } from './view.ts';

/** A generation to make. Its version is that of the record which offers it. */
export interface NewGeneration {
  readonly reason: RekeyReason;
  readonly generation: number;
  readonly version: number;
  readonly encapPort?: number;
}

/** A program that keeps deleting SAs, or a NAT that comes and goes, must not keep all hosts busy with new keys. */
const pause: Duration = seconds(10);

/**
 * Two nodes whose newest keys cannot be used together, and that both have no room for another generation, would wait for each
 * other. After this time they do without the older generations: the packets between them are dropped until the new ones are there.
 */
const longestWait: Duration = seconds(30);

/** The keyring without generations that no peer uses. At most one step of each generation: offered → withdrawn → gone. */
export function retire(view: NodeView, now: number): Keyring {
  const { keyring, published, delay } = view;
  if (published === 'unknown' || published === undefined) return keyring;
  const mayWithdraw = published.version === keyring.version;
  const version = keyring.version + 1;
  const isForced = delay?.reason === 'lost' && now - delay.since >= longestWait;
  const newest = keyring.generations.at(-1);
  const generations = keyring.generations.flatMap((own): readonly OwnGeneration[] => {
    if (own.withdrawnIn !== undefined)
      return published.version < own.withdrawnIn || isHeld(own, view, now) ? [own] : [];
    const isKept = own === newest || !mayWithdraw || (!isForced && isHeld(own, view, now));
    return [isKept ? own : { ...own, withdrawnIn: version }];
  });
  const isWithdrawing = generations.some(({ withdrawnIn }) => withdrawnIn === version);
  return { ...keyring, version: isWithdrawing ? version : keyring.version, generations };
}

/**
 * The next generation, if there is a reason and room for it. The version of the record is above all that peers have seen, also
 * when this node has lost its keyring or the managers' store was restored.
 */
export function nextGeneration(
  view: NodeView,
  wanted: RekeyReason | undefined,
  now: number,
): NewGeneration | Delay | undefined {
  const { keyring, published, encapPort } = view;
  if (published === 'unknown') return undefined;
  const newest = keyring.generations.at(-1);
  const reason = newest === undefined ? 'first' : reasonOf(view, newest, wanted, now);
  if (reason === undefined) return undefined;
  const generation = Math.max(newest?.generation ?? 0, published?.newest ?? 0) + 1;
  const version = Math.max(keyring.version, published?.version ?? 0) + 1;
  const [oldest] = keyring.generations;
  const isFull = keyring.generations.length >= mostGenerations;
  if (oldest !== undefined && (isFull || !areDistinct(oldest.generation, generation))) {
    // A clock that was set back must not make the wait longer.
    const since = view.delay?.reason === reason ? Math.min(view.delay.since, now) : now;
    return { reason, since, waitsFor: holdersOf(oldest, view), informed: informedPeers(view, now) };
  }
  // One change of the record at a time: the managers must have the present record first.
  if (newest !== undefined && published?.version !== keyring.version) return undefined;
  return { reason, generation, version, ...(encapPort !== undefined && { encapPort }) };
}

export function isDelay(next: NewGeneration | Delay): next is Delay {
  return 'waitsFor' in next;
}

/** With a generation that has been made. */
export function withGeneration(keyring: Keyring, create: NewGeneration, createdAt: number): Keyring {
  const { generation, version, encapPort } = create;
  const made: OwnGeneration = {
    ...{ generation, createdAt, offeredIn: version },
    ...(encapPort !== undefined && { encapPort }),
  };
  return { ...keyring, version, generations: [...keyring.generations, made] };
}

/**
 * The record that the managers should have: its version and generations. undefined: they have it, or it must wait. The managers
 * may have a later record of this node, which a former installation wrote; then the present one is written above it.
 */
export function toPublish({ keyring, published }: NodeView): Keyring | undefined {
  if (published === 'unknown' || keyring.generations.length === 0) return undefined;
  const there = published?.version ?? 0;
  if (there === keyring.version) return undefined;
  if (there < keyring.version) return keyring;
  const version = there + 1;
  const generations = keyring.generations.map((own) => ({
    ...own,
    offeredIn: version,
    ...(own.withdrawnIn !== undefined && { withdrawnIn: version }),
  }));
  return { ...keyring, version, generations };
}

/** A loss comes before other reasons: between two hosts no packet passes, and only a loss ends the wait for other peers (`retire`). */
function reasonOf(
  view: NodeView,
  newest: OwnGeneration,
  wanted: RekeyReason | undefined,
  now: number,
): RekeyReason | undefined {
  const defect = defectOf(view, newest, now);
  return defect === 'lost' ? defect : (wanted ?? defect);
}

/** Why the newest generation cannot stay, whatever its age. */
function defectOf(view: NodeView, newest: OwnGeneration, now: number): 'lost' | 'encap' | undefined {
  if (Math.abs(now - newest.createdAt) < pause) return undefined;
  const isLost = [...view.peers].some(([node, peer]) => hasLostNewest(view.keyring, node, peer));
  if (isLost) return 'lost';
  return newest.encapPort === view.encapPort ? undefined : 'encap';
}
