import type { SaLimits } from '@causeway/datapath';
import type { KeyGeneration } from '@causeway/model';
import { type Duration, minutes, seconds } from '@causeway/runtime';

/** How often a node makes a new key. */
export const rekeyPeriod: Duration = minutes(8 * 60);

/**
 * How much one SA may protect. What an attacker gains against AES-GCM grows with the square of the number of blocks: after 2^38
 * blocks (4 TiB) a forgery succeeds with a probability below 2^-52, after 2^40 (16 TiB) below 2^-48. The number of packets has
 * the same reason with small packets.
 */
const soft = { bytes: 2 ** 42, packets: 2 ** 34 };
const hard = { bytes: 2 ** 44, packets: 2 ** 36 };

/**
 * An SA that is still there after this many periods ends: the agent of its peer has not answered for so long. Until then the
 * containers of a host whose agent, or all managers, are down are reached.
 */
const mostPeriods = 3;

/** By how much limits of different keys differ, so that hosts that started together do not make new keys together. */
const spread = 0.1;

/** When a generation is to be followed by the next, Unix ms. */
export function dueAt(generation: KeyGeneration, period: Duration): number {
  return generation.createdAt + period * jitter(generation.publicKey);
}

/** The limits of an SA that this node sends with. `publicKey`: the node's own, of the generation of the SA. */
export function sendingLimits(publicKey: Uint8Array, period: Duration): SaLimits {
  const factor = jitter(publicKey);
  return {
    soft: { bytes: Math.floor(soft.bytes * factor), packets: Math.floor(soft.packets * factor) },
    hard: { ...hard, ...lifetime(period) },
  };
}

/** The sender counts bytes and packets. */
export function receivingLimits(period: Duration): SaLimits {
  return { hard: lifetime(period) };
}

function lifetime(period: Duration): { readonly seconds: number } {
  return { seconds: Math.ceil((mostPeriods * period) / seconds(1)) };
}

/** From 0.9 to 1: the first bytes of a public key are as good as random, and the same after a restart. */
function jitter(publicKey: Uint8Array): number {
  const [high = 0, low = 0] = publicKey;
  return 1 - (spread * (high * 256 + low)) / 0x1_0000;
}
