import type { Difference, Failure, Kernel } from '@causeway/datapath';
import { dueAt, type HostView, PossibleSas, publicHalf, type RekeyReason } from '@causeway/encryption';
import type { ClusterId, Ip, NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, minutes, seconds } from '@causeway/runtime';
import { explain, logFailures, logOps } from '../reconcile/op-log.ts';
import { applyIpsec, type Ipsec, isGuard } from './ipsec.ts';
import type { KnownIpsec, Look } from './known-ipsec.ts';
import type { KnownPeers } from './known-peers.ts';
import type { OwnKeys } from './own-keys.ts';
import type { OwnRecord, Send } from './own-record.ts';
import type { RecordsFile } from './records-file.ts';
import { planRound, type Round, type RoundView } from './round.ts';
import type { ToldReceipts } from './told-receipts.ts';
import { type NewestKey, type RekeyOrders, reasonToRekey } from './wish.ts';

/** Losses that the kernel does not notify of, and pauses of the protocol that end, are found this often. */
const sweepEvery = seconds(10);
/** Pause after the kernel has refused something. */
const retry = seconds(1);

/** Pause after the kernel has refused the guard: most such kernels have no nftables for IP, and never will. */
const guardAgainAfter = minutes(1);

export interface RoundsModules {
  readonly kernel: Pick<Kernel, 'apply'>;
  readonly known: KnownIpsec;
  readonly keys: OwnKeys;
  readonly record: OwnRecord;
  readonly peers: KnownPeers;
  readonly told: ToldReceipts;
  readonly file: RecordsFile;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RoundsSettings {
  readonly cluster: ClusterId;
  readonly node: NodeId;
  readonly address: Ip;
  readonly encapPort?: number;
  readonly period: Duration;
}

export interface RoundOutcome {
  /** The part of the drift that was repaired. */
  readonly repaired: readonly Difference[];
  readonly refused: readonly Failure[];
  /** When the next round is due, if nothing happens before. */
  readonly nextIn: Duration;
}

/** The rekey protocol on this host's kernel (docs/decisions/0029-rekey.md), one round at a time. */
export class EncryptionRounds {
  orders: RekeyOrders;
  readonly #modules: RoundsModules;
  readonly #settings: RoundsSettings;
  readonly #sas = new PossibleSas();
  #delay: HostView['delay'];
  #refused: readonly Failure[] = [];
  /** That the kernel has refused the guard: why, and when (ms of the monotonic clock). */
  #unguarded: { readonly errno: string; readonly at: number } | undefined;

  constructor(modules: RoundsModules, settings: RoundsSettings) {
    this.#modules = modules;
    this.#settings = settings;
    this.orders = { period: settings.period, afterGeneration: 0 };
  }

  /** Decides from one look at the kernel, and does it. `send`: absent while there is no session. */
  async run({ found, drift }: Look, send: Send | undefined): Promise<RoundOutcome> {
    const { kernel, known, keys, record, peers, told, file, clock, log } = this.#modules;
    peers.lookAgain();
    const view = await this.view();
    const wanted = this.#wanted(view, found);
    const round = planRound(view, found, wanted, clock.wall());
    await file.save([...record.records, ...peers.records]);
    await keys.keep(round.keyring, round.create);
    this.#follow(round);
    logOps(log, round.ops);
    const failures = await applyIpsec(kernel, round.ops);
    const refused = failures.filter(({ op }) => !isGuard(op));
    logFailures(log, refused, this.#refused);
    this.#refused = refused;
    const isUnguarded = this.#noteGuard(round, failures);
    const held = isUnguarded ? { ...round.held, portGuards: found.portGuards } : round.held;
    known.became(refused.length === 0 ? held : undefined);
    if (send !== undefined) {
      told.tell(round.receipts, send);
      record.say(round.publish, send);
    }
    const isChanged = round.ops.length > 0 || round.create !== undefined;
    return {
      repaired: refused.length === 0 ? this.#withoutLost(drift) : [],
      refused,
      nextIn: refused.length > 0 ? retry : isChanged ? milliseconds(0) : this.#restAfter(view, wanted),
    };
  }

  /** Nothing is encrypted any more, so the keys with peers do not stay in memory. */
  forget(): void {
    this.#sas.clear();
  }

  async view(): Promise<RoundView> {
    const { keys, record, peers, clock } = this.#modules;
    const { cluster, node, address, encapPort } = this.#settings;
    return {
      own: { cluster, node, address, index: record.index, ...(encapPort !== undefined && { encapPort }) },
      stored: await keys.load(),
      sas: this.#sas,
      published: record.published,
      peers: peers.reachableFrom(address),
      period: this.orders.period,
      isComplete: peers.isComplete,
      isSigned: record.isSigned,
      hasGuards: this.#unguarded === undefined || clock.now() - this.#unguarded.at >= guardAgainAfter,
      ...(this.#delay && { delay: this.#delay }),
    };
  }

  /** The newest of this host's own keys. */
  newest({ stored }: Pick<RoundView, 'stored'>): NewestKey | undefined {
    const own = stored.keyring.generations.at(-1);
    const key = own && stored.keys.get(own.generation);
    return own && key && { ...own, publicKey: publicHalf(key) };
  }

  #wanted(view: RoundView, found: Ipsec): RekeyReason | undefined {
    const sas = { own: this.#settings.address, found };
    return reasonToRekey(this.newest(view), sas, this.orders, this.#modules.clock.wall());
  }

  #restAfter(view: RoundView, wanted: RekeyReason | undefined): Duration {
    const { clock, record } = this.#modules;
    const newest = this.newest(view);
    const due = newest === undefined || wanted !== undefined ? sweepEvery : dueAt(newest, view.period) - clock.wall();
    return milliseconds(Math.max(0, Math.min(sweepEvery, due, record.againIn ?? sweepEvery)));
  }

  /** Whether the kernel has refused the guard in this round. Each reason is logged once. */
  #noteGuard({ ops }: Round, failures: readonly Failure[]): boolean {
    if (!ops.some(isGuard)) return false;
    const refusal = failures.find(({ op }) => isGuard(op));
    const before = this.#unguarded?.errno;
    this.#unguarded = refusal && { errno: refusal.errno, at: this.#modules.clock.now() };
    if (refusal !== undefined && refusal.errno !== before)
      this.#modules.log.warn('encryption.without-guard', { errno: refusal.errno, message: explain(refusal) });
    return refusal !== undefined;
  }

  #follow({ delay }: Round): void {
    const before = this.#delay?.waitsFor.join();
    this.#delay = delay;
    if (delay === undefined || delay.waitsFor.join() === before) return;
    const { reason, waitsFor } = delay;
    this.#modules.log.warn('keys.delayed', { reason, waitsFor: waitsFor.join(' ') });
  }

  /** An SA that is lost is not made again: new keys take its place. */
  #withoutLost(drift: readonly Difference[]): readonly Difference[] {
    const isLost = ({ kind, desired }: Difference): boolean => kind === 'xfrm state' && desired !== 'absent';
    const lost = drift.filter(isLost).length;
    if (lost > 0) this.#modules.log.warn('keys.lost', { count: lost });
    return drift.filter((difference) => !isLost(difference));
  }
}
