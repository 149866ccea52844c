import { type PeerOfHost, type Receipt, type Unsigned, verifyKeys } from '@causeway/encryption';
import type { ClusterId } from '@causeway/model';
import {
  CausewayError,
  type ErrorCode,
  fail,
  family,
  type Ip,
  type NodeId,
  ok,
  parseIp,
  type Result,
} from '@causeway/model';
import { type Clock, type Log, Slices, seconds } from '@causeway/runtime';
import type { Member } from './member.ts';
import type { KeyNews, SentKeys } from './news.ts';

/** Why keys are refused that may be right later: the clock of this host is corrected, or the host trusts the next CA. */
const mayPass: ReadonlySet<ErrorCode> = new Set([
  'certificate-not-yet-valid',
  'certificate-expired',
  'certificate-untrusted',
]);
/** How often such keys are looked at again: managers do not send them again before they change. */
const lookAgainEvery = seconds(10);

export interface KnownPeersModules {
  readonly member: Member;
  readonly clock: Clock;
  readonly log: Log;
}

interface KnownPeer {
  readonly sent: SentKeys;
  /** Verified. It is the same object as long as the record is the same. */
  readonly keys: Unsigned;
  readonly address: Ip;
}

/** Hosts that share an encrypted network with this host: their verified keys, and what they have told this host. */
export class KnownPeers {
  readonly #modules: KnownPeersModules;
  readonly #own: { readonly node: NodeId; readonly cluster: ClusterId };
  readonly #peers = new Map<NodeId, KnownPeer>();
  /** Also of hosts whose keys are refused: their next keys may be right. */
  readonly #receipts = new Map<NodeId, Receipt>();
  /** By node: the version of keys that were refused last, so that each refusal is logged once. */
  readonly #refusedVersions = new Map<NodeId, number>();
  /** By node: the last keys that were refused, if they may be right later. */
  readonly #doubtful = new Map<NodeId, SentKeys>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** What several peers say to have, and what is in the log. */
  #told: ReadonlySet<string> = new Set();
  #isComplete = false;
  #refused = 0;

  constructor(modules: KnownPeersModules, own: { readonly node: NodeId; readonly cluster: ClusterId }) {
    this.#modules = modules;
    this.#own = own;
  }

  /** Whether the managers have named all peers since the agent started. Until then a peer that is not known may exist. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** How many records were refused since the agent started. */
  get refusedCount(): number {
    return this.#refused;
  }

  get records(): readonly SentKeys[] {
    return Array.from(this.#peers.values(), ({ sent }) => sent);
  }

  /**
   * Peers that a host with this address can have SAs with. Not peers that say to have the same address: policies are by address, so
   * what is for the one would be sent with a key of the other, who may be on the way. Nor peers that say to have the same index: SAs
   * that this host receives with are found by it, so those of the one would take the place of those of the other.
   */
  reachableFrom(own: Ip): ReadonlyMap<NodeId, PeerOfHost> {
    const peers = new Map<NodeId, PeerOfHost>();
    const shared = this.#shared();
    for (const [node, peer] of this.#peers) {
      const { keys, address } = peer;
      if (family(address) !== family(own) || address === own) continue;
      if (namesOf(peer).some((name) => shared.has(name))) continue;
      const receipt = this.#receipts.get(node);
      peers.set(node, { keys, address, ...(receipt && { receipt }) });
    }
    return peers;
  }

  /** Records that this host has verified before it wrote them down. */
  restore(records: readonly SentKeys[]): void {
    for (const sent of records) {
      const { chain: _, signature: __, ...keys } = sent.keys;
      const address = parseIp(sent.dataPath);
      if (keys.node !== this.#own.node && address.ok)
        this.#peers.set(keys.node, { sent, keys, address: address.value });
    }
  }

  async heardPeers({ isComplete, peers, removed }: KeyNews & { kind: 'peers' }): Promise<void> {
    const slices = new Slices(this.#modules);
    const named = new Set<NodeId>();
    for (const sent of peers) {
      const { node } = sent.keys;
      if (node === this.#own.node) continue;
      named.add(node);
      const read = this.#read(sent);
      if (read.ok) this.#accept(read.value);
      else this.#refuse(sent, read.error);
      await slices.maybeYield();
    }
    for (const node of removed) this.#forget(node);
    if (isComplete) {
      const all = [...this.#peers.keys(), ...this.#receipts.keys(), ...this.#doubtful.keys()];
      for (const node of all) if (!named.has(node)) this.#forget(node);
      this.#isComplete = true;
    }
    this.#tellShared();
  }

  /** To be called again and again: keys that were refused may be right by now. */
  lookAgain(): void {
    const now = this.#modules.clock.now();
    if (this.#doubtful.size === 0 || now - this.#lookedAt < lookAgainEvery) return;
    this.#lookedAt = now;
    for (const sent of [...this.#doubtful.values()]) {
      const read = this.#read(sent);
      if (read.ok) this.#accept(read.value);
    }
    this.#tellShared();
  }

  heardReceipts(receipts: Iterable<readonly [NodeId, Receipt]>): void {
    for (const [node, receipt] of receipts) {
      if (this.#peers.has(node) || this.#refusedVersions.has(node)) this.#receipts.set(node, receipt);
    }
  }

  #read(sent: SentKeys): Result<KnownPeer, CausewayError> {
    const address = parseIp(sent.dataPath);
    if (!address.ok) return address;
    const known = this.#peers.get(sent.keys.node);
    // The certificate of a host that is down expires. What was verified before stays right.
    if (known !== undefined && isSame(known.sent, sent)) return ok({ ...known, sent, address: address.value });
    const { member, clock } = this.#modules;
    const { trust, chain } = member.current;
    const expected = { cluster: this.#own.cluster, trust, now: clock.wall(), own: chain[0] };
    const verified = verifyKeys(sent.keys, expected);
    if (!verified.ok) return verified;
    if (known !== undefined && !isLater(verified.value, known.keys)) return outdated(known.keys, verified.value);
    return ok({ sent, keys: verified.value, address: address.value });
  }

  #accept(peer: KnownPeer): void {
    const { node } = peer.keys;
    this.#peers.set(node, peer);
    this.#doubtful.delete(node);
  }

  #refuse(sent: SentKeys, { code, message }: CausewayError): void {
    const { node, version } = sent.keys;
    this.#refused++;
    if (mayPass.has(code)) this.#doubtful.set(node, sent);
    else this.#doubtful.delete(node);
    if (this.#refusedVersions.get(node) === version) return;
    this.#refusedVersions.set(node, version);
    this.#modules.log.warn('keys.refused', { nodeId: node, version, code, message });
  }

  /** What must be of one peer only, and is of several. */
  #shared(): ReadonlySet<string> {
    const seen = new Set<string>();
    const shared = new Set<string>();
    for (const peer of this.#peers.values())
      for (const name of namesOf(peer)) (seen.has(name) ? shared : seen).add(name);
    return shared;
  }

  /** Logs each shared address and index once. */
  #tellShared(): void {
    const shared = this.#shared();
    for (const [nodeId, peer] of this.#peers) {
      for (const name of namesOf(peer)) {
        if (!shared.has(name) || this.#told.has(name)) continue;
        const message = `several hosts say to have the ${name}; nothing is sent there until only one does`;
        this.#modules.log.error('keys.refused', {
          ...{ nodeId, version: peer.keys.version, code: 'address-in-use', message },
        });
      }
    }
    this.#told = shared;
  }

  #forget(node: NodeId): void {
    this.#peers.delete(node);
    this.#receipts.delete(node);
    this.#doubtful.delete(node);
    this.#refusedVersions.delete(node);
  }
}

/** What no other peer may have, in words. */
function namesOf({ keys, address }: KnownPeer): readonly string[] {
  return [`address ${address}`, `index ${keys.index}`];
}

function isSame(a: SentKeys, b: SentKeys): boolean {
  return a.keys.version === b.keys.version && isSameBytes(a.keys.signature, b.keys.signature);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}

/**
 * A manager must not bring back keys that a host has given up. A host whose managers have lost its last records, and which has
 * lost its keys, signs new keys with a lower version.
 */
function isLater(sent: Unsigned, known: Unsigned): boolean {
  const newestOf = ({ generations }: Unsigned): number => generations.at(-1)?.createdAt ?? 0;
  return sent.version > known.version || newestOf(sent) > newestOf(known);
}

function outdated(known: Unsigned, { node, version }: Unsigned): Result<never, CausewayError> {
  const message = `the keys of the node ${node} are refused: their version is ${version}, and this host knows version ${known.version}`;
  return fail(new CausewayError('revision-conflict', message, { node, version }));
}
