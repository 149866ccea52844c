import type { Random } from '@causeway/runtime';
import { Reader } from '../wire/bytes.ts';
import type { Frame } from '../wire/frame.ts';
import { ReplayWindow } from './replay-window.ts';

interface Session {
  boot: bigint | undefined;
  window: ReplayWindow;
  /** What the peer was asked to repeat, so that its answer cannot be an old one. */
  challenge: bigint | undefined;
}

/**
 * Which boot of each peer is the present one, and which of its frames have come. A boot is accepted when the peer has repeated a
 * fresh number under it: what an eavesdropper recorded before is worth nothing, whatever the clocks of the hosts say.
 */
export class Sessions {
  readonly #random: Random;
  readonly #peers = new Map<string, Session>();

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * For requests. Unless the answer is `fresh`, the peer gets the number of `challenge`, and makes its request again if it still
   * wants to. So a peer whose counter another host ran ahead of can be heard again, too.
   */
  accept(peer: string, { boot, counter }: Frame): 'fresh' | 'replayed' | 'unknown-boot' {
    const session = this.#of(peer);
    if (session.boot !== boot) return 'unknown-boot';
    return session.window.accept(counter) ? 'fresh' : 'replayed';
  }

  /** The number that the peer has to repeat. Stays the same until the peer has answered. */
  challenge(peer: string): bigint {
    const session = this.#of(peer);
    session.challenge ??= new Reader(this.#random.bytes(8)).u64();
    return session.challenge;
  }

  /** An answer to no question changes nothing: two frames of a new boot may cause two answers. */
  answered(peer: string, { boot, counter }: Frame, challenge: bigint): void {
    const session = this.#of(peer);
    if (session.challenge === undefined || session.challenge !== challenge) return;
    session.challenge = undefined;
    session.boot = boot;
    session.window = new ReplayWindow(counter);
  }

  /** Only these peers have sessions. */
  keep(peers: ReadonlySet<string>): void {
    for (const peer of this.#peers.keys()) if (!peers.has(peer)) this.#peers.delete(peer);
  }

  #of(peer: string): Session {
    let session = this.#peers.get(peer);
    if (session === undefined) {
      session = { boot: undefined, window: new ReplayWindow(-1n), challenge: undefined };
      this.#peers.set(peer, session);
    }
    return session;
  }
}
