import { type Ip, isCausewayError, type NetworkId, type NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, type Startable, seconds, Worker } from '@causeway/runtime';
import type { Standing } from '../dispatcher/holdings.ts';
import type { ClaimChange, View } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import { type Cooling, type CoolingVni, judge, judgeVni, sweep, thaw, thawVni, type Verdict } from './thaw.ts';

export interface ThawerParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  /** How far a network's hosts are, and since when a host cannot be asked. */
  readonly standing: (network: NetworkId) => Standing;
  readonly silentSince: (node: NodeId) => number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ThawerSettings {
  /** How long hosts that cannot be asked are waited for. */
  readonly cooldown: Duration;
}

/** Reports of a burst are looked at together. */
const pause = milliseconds(20);
const retryDelay = seconds(1);

/** One transaction has room for these, each with its Ethernet address. */
const most = 40;

/**
 * While this manager leads: gives freed addresses to all again once no host can still send to who had them, and VNIs of
 * deleted networks once no host can still have those.
 */
export class Thawer implements Startable {
  readonly #parts: ThawerParts;
  readonly #cooldown: Duration;
  readonly #cooling = new Map<NetworkId, Map<Ip, Cooling>>();
  readonly #coolingVnis = new Map<NetworkId, CoolingVni>();
  /** Networks about which something may be different. */
  readonly #dirty = new Set<NetworkId>();
  /** When networks are to be looked at again even if nothing is told of them. */
  readonly #due = new Map<NetworkId, number>();
  readonly #worker = new Worker((signal) => this.#work(signal));
  #timer = new AbortController();
  #unsubscribe: readonly (() => void)[] = [];

  constructor(parts: ThawerParts, settings: ThawerSettings) {
    this.#parts = parts;
    this.#cooldown = settings.cooldown;
  }

  async start(): Promise<void> {
    const { view } = this.#parts;
    this.#unsubscribe = [
      view.subscribeClaims((change) => this.#follow(change)),
      view.subscribe((changes) => {
        for (const change of changes) {
          if (change.kind === 'reset') this.lead();
          else if (change.kind === 'network' && change.after === undefined) this.#suspect(change.id);
        }
      }),
    ];
    this.lead();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#worker.stop();
    this.#timer.abort();
  }

  /** Begins anew: hosts that cannot be asked are waited for from now on. To be called on election. */
  lead(): void {
    const { view } = this.#parts;
    this.#cooling.clear();
    this.#coolingVnis.clear();
    this.#due.clear();
    for (const network of view.networksWithClaims()) {
      for (const [ip, after] of view.addressesOf(network)) this.#follow({ kind: 'addr', network, ip, after });
      if (!view.networks.has(network)) this.#suspect(network);
    }
    for (const [vni, after] of view.vnis) this.#followVni({ kind: 'vni', vni, after });
  }

  /** How far the hosts of a network are may have changed. */
  moved(network: NetworkId): void {
    if (this.#cooling.has(network) || this.#coolingVnis.has(network)) this.#suspect(network);
  }

  #suspect(network: NetworkId): void {
    this.#dirty.add(network);
    if (this.#parts.writer.isLeading) void this.#worker.poke();
  }

  #follow(change: ClaimChange): void {
    if (change.kind === 'vni') this.#followVni(change);
    else if (change.kind === 'addr') this.#followAddress(change);
  }

  #followVni({ vni, before, after }: Extract<ClaimChange, { kind: 'vni' }>): void {
    if (before?.claim.kind === 'cooling') this.#coolingVnis.delete(before.claim.network);
    if (after?.claim.kind !== 'cooling') return;
    const { network } = after.claim;
    this.#coolingVnis.set(network, { vni, revision: after.revision, seenAt: this.#parts.clock.now() });
    this.#suspect(network);
  }

  #followAddress(change: Extract<ClaimChange, { kind: 'addr' }>): void {
    const { network, ip, after } = change;
    if (after?.claim.kind === 'cooling') {
      const cooling = this.#cooling.get(network) ?? new Map<Ip, Cooling>();
      const { node } = after.claim;
      cooling.set(ip, { ip, node, revision: after.revision, seenAt: this.#parts.clock.now() });
      this.#cooling.set(network, cooling);
      this.#suspect(network);
    } else {
      const cooling = this.#cooling.get(network);
      cooling?.delete(ip);
      if (cooling?.size === 0) this.#cooling.delete(network);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { writer, clock, log } = this.#parts;
    await clock.sleep(pause, signal);
    while (writer.isLeading && !signal.aborted) {
      const [network] = this.#dirty;
      if (network === undefined) break;
      this.#dirty.delete(network);
      try {
        await this.#settle(network, signal);
      } catch (error) {
        if (isCausewayError(error, 'not-leader')) return;
        log.warn('ipam.not-thawed', { networkId: network, error });
        this.#dirty.add(network);
        await clock.sleep(retryDelay, signal);
      }
    }
    this.#setTimer();
  }

  async #settle(network: NetworkId, signal: AbortSignal): Promise<void> {
    const { view, writer, log } = this.#parts;
    while (!signal.aborted && !view.networks.has(network) && view.addressesOf(network).size > 0)
      await writer.apply(sweep(network, most), { cause: 'cooldown', signal });
    const { addresses: clear, vni } = this.#clear(network);
    for (let at = 0; at < clear.length && !signal.aborted; at += most) {
      const { reply } = await writer.apply(thaw(network, clear.slice(at, at + most)), { cause: 'cooldown', signal });
      if (reply > 0) log.debug('ipam.thawed', { networkId: network, addresses: reply });
    }
    if (vni === undefined || signal.aborted) return;
    const { reply } = await writer.apply(thawVni(vni), { cause: 'cooldown', signal });
    if (reply) log.debug('ipam.vni-thawed', { networkId: network, vni: vni.vni });
  }

  /** What can be given again now; notes when to look at the rest. */
  #clear(network: NetworkId): { readonly addresses: readonly Cooling[]; readonly vni: CoolingVni | undefined } {
    const { standing, silentSince, clock } = this.#parts;
    const now = clock.now();
    const hosts = standing(network);
    let next: number | undefined;
    const isClear = (verdict: Verdict): boolean => {
      if (verdict.kind === 'until') next = Math.min(next ?? verdict.at, verdict.at);
      return verdict.kind === 'clear';
    };
    const addresses = [...(this.#cooling.get(network)?.values() ?? [])].filter((cooling) =>
      isClear(judge(cooling, hosts, silentSince(cooling.node), now, this.#cooldown)),
    );
    const vni = this.#coolingVnis.get(network);
    const thawed = vni !== undefined && isClear(judgeVni(vni, hosts, now, this.#cooldown)) ? vni : undefined;
    if (next === undefined) this.#due.delete(network);
    else this.#due.set(network, next);
    return { addresses, vni: thawed };
  }

  #setTimer(): void {
    const { clock } = this.#parts;
    this.#timer.abort();
    if (this.#due.size === 0) return;
    const timer = new AbortController();
    this.#timer = timer;
    const span = milliseconds(Math.max(0, Math.min(...this.#due.values()) - clock.now()));
    void clock.sleep(span, timer.signal).then(() => {
      if (timer.signal.aborted) return;
      for (const [network, at] of this.#due) if (at <= clock.now()) this.#suspect(network);
    });
  }
}
