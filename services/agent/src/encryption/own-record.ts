import { type NodeView, signKeys, type Unsigned } from '@causeway/encryption';
import type { ClusterId, NodeId, NodeKeys } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Member } from './member.ts';
import { type KeyNews, publication, question, type SentKeys } from './news.ts';

/** Managers do not answer keys that they could not store. */
const askAgainAfter = seconds(5);

export type Send = (request: ConnectRequest) => void;

/** What was said last in this session, and when (ms of the monotonic clock). */
interface Said {
  readonly record: NodeKeys | undefined;
  readonly at: number;
}

/** This host's own record at the managers: its index, which they give, and the keys that the host publishes. */
export class OwnRecord {
  readonly #modules: { readonly member: Member; readonly clock: Clock };
  readonly #own: { readonly node: NodeId; readonly cluster: ClusterId };
  #index: number | undefined;
  #published: NodeView['published'] = 'unknown';
  /** The record that the managers have, as far as this host has signed it and knows that it was stored. */
  #stored: NodeKeys | undefined;
  #isAnswered = false;
  #said: Said | undefined;

  constructor(
    modules: { readonly member: Member; readonly clock: Clock },
    own: { readonly node: NodeId; readonly cluster: ClusterId },
  ) {
    this.#modules = modules;
    this.#own = own;
  }

  /** The host's number in SPIs. undefined: the managers have not been asked yet. */
  get index(): number | undefined {
    return this.#index;
  }

  get published(): NodeView['published'] {
    return this.#published;
  }

  /** Whether the present certificate has signed the record that the managers have. */
  get isSigned(): boolean {
    const [signer] = this.#stored?.chain ?? [];
    const version = this.#published === 'unknown' ? undefined : this.#published?.version;
    return this.#stored?.version === version && isSameBytes(signer, this.#modules.member.current.chain[0].der);
  }

  /** To be written down: an agent that starts without managers needs the index. */
  get records(): readonly SentKeys[] {
    if (this.#index === undefined) return [];
    const unsigned = { version: 0, generations: [], chain: [], signature: new Uint8Array(0) };
    const keys = this.#stored ?? { node: this.#own.node, index: this.#index, ...unsigned };
    return [{ keys: { ...keys, index: this.#index }, dataPath: '' }];
  }

  restore(records: readonly SentKeys[]): void {
    const mine = records.find(({ keys }) => keys.node === this.#own.node)?.keys;
    if (mine === undefined) return;
    this.#index = mine.index;
    if (mine.version > 0) this.#stored = mine;
  }

  /** A session has begun: its manager has been told nothing. */
  begin(): void {
    this.#isAnswered = false;
    this.#said = undefined;
  }

  heard({ index, version, newest }: KeyNews & { kind: 'own' }): void {
    this.#index = index;
    this.#published = version === 0 ? undefined : { version, newest };
    this.#isAnswered = true;
    const record = this.#said?.record;
    if (record?.version === version) this.#stored = record;
    this.#said = undefined;
  }

  /**
   * Asks for the index in each session, since only then managers send the keys of peers. Then publishes the record, if there is
   * one to publish.
   */
  say(publish: Unsigned | undefined, send: Send): void {
    const { member, clock } = this.#modules;
    const at = clock.now();
    const isWaiting = this.#said !== undefined && at - this.#said.at < askAgainAfter;
    // Keys that are not answered were refused, perhaps because the managers have others.
    if (this.#said !== undefined && !isWaiting) this.#isAnswered = false;
    if (!this.#isAnswered) {
      if (isWaiting) return;
      this.#said = { record: undefined, at };
      send(question);
    } else if (publish !== undefined) {
      if (isWaiting && this.#said?.record?.version === publish.version) return;
      const record = signKeys(publish, this.#own.cluster, member.current);
      this.#said = { record, at };
      send(publication(record));
    }
  }

  /** When `say` has to be called again, if nothing is heard. undefined: nothing is waited for. */
  get againIn(): Duration | undefined {
    if (this.#said === undefined) return undefined;
    return milliseconds(Math.max(0, this.#said.at + askAgainAfter - this.#modules.clock.now()));
  }
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, n) => byte === b[n]);
}
