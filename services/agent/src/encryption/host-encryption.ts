import { type Difference, hostNetns } from '@causeway/datapath';
import { messageOf, type NetworkId } from '@causeway/model';
import { type Duration, Loop, type Startable, seconds } from '@causeway/runtime';
import type { Dirty } from '../reconcile/dirty.ts';
import type { Protection, ProtectionState } from '../reconcile/protection.ts';
import { RereadTimer } from '../reconcile/reread-timer.ts';
import { EncryptedNetworks } from './encrypted-networks.ts';
import { Gate } from './gate.ts';
import { KnownIpsec } from './known-ipsec.ts';
import { KnownPeers } from './known-peers.ts';
import type { HostEncryptionModules, HostEncryptionSettings } from './modules.ts';
import type { KeyNews } from './news.ts';
import { OwnKeys } from './own-keys.ts';
import { OwnRecord, type Send } from './own-record.ts';
import { RecordsFile } from './records-file.ts';
import { EncryptionRounds } from './rounds.ts';
import { type EncryptionStatus, nextKeyIn, peersOf } from './status.ts';
import { ToldReceipts } from './told-receipts.ts';
import { Upkeep } from './upkeep.ts';
import { Verifications } from './verifications.ts';
import type { RekeyOrders } from './wish.ts';

const retry = seconds(1);

/**
 * Protects what this host's encrypted networks send and receive. All of them share what is in the host namespace: the blocks, and
 * SAs and policies for each peer. Networks wait for the blocks, and for nothing else.
 *
 *   pending ─ the blocks are set ─▶ ready ─ no encrypted network is left ─▶ pending
 *   pending ─ no ESP, or the kernel refuses the blocks ─▶ why ─ asked again ─▶ pending
 */
export class HostEncryption implements Protection, Startable {
  readonly #modules: HostEncryptionModules;
  readonly #networks: EncryptedNetworks;
  readonly #keys: OwnKeys;
  readonly #record: OwnRecord;
  readonly #peers: KnownPeers;
  readonly #told = new ToldReceipts();
  readonly #file: RecordsFile;
  readonly #rounds: EncryptionRounds;
  readonly #gate: Gate;
  readonly #loop: Loop;
  readonly #timer: RereadTimer;
  readonly #known: KnownIpsec;
  readonly #verifications = new Verifications();
  readonly #upkeep: Upkeep;
  readonly #abort = new AbortController();
  #running = Promise.resolve();
  readonly #unsubscribe: () => void;
  #send: Send | undefined;
  #isConfirmed = false;
  #failure = '';

  constructor(modules: HostEncryptionModules, settings: HostEncryptionSettings) {
    this.#modules = modules;
    this.#gate = new Gate(modules);
    this.#keys = new OwnKeys(modules);
    this.#record = new OwnRecord(modules, settings);
    this.#peers = new KnownPeers(modules, settings);
    this.#file = new RecordsFile(modules);
    this.#known = new KnownIpsec(modules);
    const [known, keys, record, peers] = [this.#known, this.#keys, this.#record, this.#peers];
    const [told, file, gate, verifications] = [this.#told, this.#file, this.#gate, this.#verifications];
    this.#rounds = new EncryptionRounds({ ...modules, known, keys, record, peers, told, file }, settings);
    const step = (signal: AbortSignal): Promise<Duration | undefined> => this.#step(signal);
    this.#loop = new Loop(modules, { step, failed: (error) => this.#fail(error), retryAfter: retry });
    this.#networks = new EncryptedNetworks({ ...modules, onChange: () => this.#loop.wake() });
    this.#timer = new RereadTimer({ ...modules, reread: (dirty) => this.#reread(dirty) }, { netns: hostNetns });
    const [networks, rounds, timer] = [this.#networks, this.#rounds, this.#timer];
    this.#upkeep = new Upkeep({ ...modules, networks, gate, known, rounds, timer, verifications }, settings);
    this.#unsubscribe = modules.member.onReplace(() => this.#loop.wake());
  }

  async start(): Promise<void> {
    const records = await this.#file.load();
    this.#record.restore(records);
    this.#peers.restore(records);
    this.#running = this.#loop.run(this.#abort.signal);
  }

  /** Leaves the kernel as it is. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#unsubscribe();
    this.#timer.stop();
    await this.#running;
    this.#verifications.end();
  }

  get state(): ProtectionState {
    return this.#gate.state;
  }

  /** Why the private keys outlive a reboot, in words; empty: they do not, or there are none. */
  get keysOnDisk(): string {
    return this.#keys.whyLasting ?? '';
  }

  onChange(listener: () => void): void {
    this.#gate.onChange(listener);
  }

  released(network: NetworkId): void {
    this.#networks.released(network);
  }

  /** Why this host cannot encrypt, in words, once an encrypted network is known. undefined: the blocks are set. */
  async whyNot(timeout: Duration): Promise<string | undefined> {
    if (this.#gate.state === 'ready') return undefined;
    this.tryAgain();
    return await this.#gate.open(timeout);
  }

  /** What was missing may be there now: a module of the kernel. */
  tryAgain(): void {
    if (typeof this.#gate.state === 'object') this.#gate.set('pending');
    this.#loop.wake();
  }

  /** See `restoreFiles`. */
  keepFile(): Promise<void> {
    return this.#file.keep();
  }

  /** The tables are complete: what is not in them is not desired. */
  confirm(): void {
    this.#isConfirmed = true;
    this.#loop.wake();
  }

  /** A session with a manager has begun. */
  begin(send: Send): void {
    this.#send = send;
    this.#record.begin();
    // The managers repeat what they still want. A former manager may have wanted what no key fulfils.
    this.order({ afterGeneration: 0 });
    this.#told.begin();
    this.#loop.wake();
  }

  /** The session has ended. */
  end(): void {
    this.#send = undefined;
  }

  /** To be called in order. */
  async hear(news: KeyNews): Promise<void> {
    if (news.kind === 'own') this.#record.heard(news);
    else if (news.kind === 'peers') await this.#peers.heardPeers(news);
    else this.#peers.heardReceipts(news.receipts);
    this.#loop.wake();
  }

  /** What the managers want of this host's keys, from now on. */
  order(orders: Partial<RekeyOrders>): void {
    this.#rounds.orders = { ...this.#rounds.orders, ...orders };
    this.#loop.wake();
  }

  /** What other programs have changed since the last round. It is repaired when this resolves, as far as the kernel allows it. */
  verify(): Promise<readonly Difference[]> {
    if (this.#abort.signal.aborted) return Promise.resolve([]);
    const answer = this.#verifications.ask();
    this.#known.forget();
    this.#loop.wake();
    return answer;
  }

  /** How often keys of other hosts were refused since the agent started. */
  get refusedKeys(): number {
    return this.#peers.refusedCount;
  }

  async status(): Promise<EncryptionStatus> {
    const { clock, plaintextDrops } = this.#modules;
    const now = clock.wall();
    const found = await this.#known.read();
    const { own, ...known } = await this.#rounds.view();
    const newest = this.#rounds.newest(known);
    const { index } = own;
    return {
      nextKeyIn: nextKeyIn(newest, known.period, now),
      peers:
        index === undefined
          ? []
          : peersOf({ ...known, own: { ...own, index } }, { found, replays: this.#known.replays, now }),
      plaintextDrops: await plaintextDrops(),
    };
  }

  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    this.#verifications.begin();
    const next = this.#networks.isAny
      ? await this.#upkeep.protect(this.#send, signal)
      : await this.#upkeep.cease(this.#isConfirmed);
    this.#failure = '';
    this.#verifications.answer([]);
    return next;
  }

  /** Changes of links and entries concern networks, which watch them by themselves. */
  #reread(dirty: Dirty): void {
    if (dirty !== 'everything' && (dirty === 'nothing' || !dirty.more)) return;
    this.#known.forget();
    this.#loop.wake();
  }

  #fail(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#failure) this.#modules.log.error('encryption.failed', { message });
    this.#failure = message;
    if (this.#gate.state === 'pending') this.#gate.set({ why: message });
    this.#verifications.answer([]);
  }
}
