import type { NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import { areDistinct, mostGenerations } from '../pair.ts';
import { hasLostNewest } from './peer-plan.ts';
import type { Delay, Keyring, NodeView, OwnGeneration, PeerView, RekeyReason } from './view.ts';

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
    if (own.withdrawnIn !== undefined) return isForgotten(own, view) ? [] : [own];
    const isKept = own === newest || !mayWithdraw || !(isForced || usersOf(own, view).length === 0);
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
    return { reason, since, waitsFor: holdersOf(oldest, view) };
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

/** Peers between which and this node packets travel with the generation, or may soon. */
function usersOf(own: OwnGeneration, { peers }: NodeView): readonly NodeId[] {
  const users = [...peers].filter(([, peer]) => peer.sendsWith?.sender === own.generation || maySend(peer, own));
  return users.map(([node]) => node);
}

/**
 * A receipt is old when it arrives: the peer may have changed to any later generation that it was shown. It does not change to an
 * earlier one. A peer of which nothing is known may send with anything that this node receives with.
 */
function maySend({ receipt, kernel }: PeerView, { generation, offeredIn }: OwnGeneration): boolean {
  if (!kernel.received.some(({ receiver }) => receiver === generation)) return false;
  if (receipt === undefined) return true;
  const { version, sends } = receipt;
  return offeredIn <= version && (sends === undefined || sends.receiver <= generation);
}

/** Peers because of which the generation is still there. */
function holdersOf(own: OwnGeneration, view: NodeView): readonly NodeId[] {
  if (own.withdrawnIn === undefined) return usersOf(own, view);
  return [...view.peers].filter(([, peer]) => !hasLetGo(peer, own)).map(([node]) => node);
}

/** Whether a withdrawn generation may go. */
function isForgotten(own: OwnGeneration, { peers, published }: NodeView): boolean {
  if (published === 'unknown' || published === undefined || published.version < (own.withdrawnIn ?? 0)) return false;
  return [...peers.values()].every((peer) => hasLetGo(peer, own));
}

/**
 * Whether the peer never sends with the withdrawn generation again. A peer that acts by a record without the generation does not
 * choose it again. If the peer does not send with the generation either, it never will. A peer that has not said that it acts by
 * the record which offers the generation was never told that it may send with it; so a peer whose agent is down holds up only what
 * it used before.
 */
function hasLetGo({ receipt, kernel, sendsWith }: PeerView, own: OwnGeneration): boolean {
  const { generation, offeredIn, withdrawnIn = 0 } = own;
  if (sendsWith?.sender === generation) return false;
  if (!kernel.received.some(({ receiver }) => receiver === generation)) return true;
  if (receipt === undefined) return false;
  return receipt.version < offeredIn || (receipt.version >= withdrawnIn && receipt.sends?.receiver !== generation);
}
