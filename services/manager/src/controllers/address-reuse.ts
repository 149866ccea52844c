import type { Ip, NetworkId, NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog } from '../election/controller.ts';
import type { Term } from '../election/term.ts';
import type { Standing } from '../feed/holdings.ts';
import { type Cooling, type CoolingVni, judge, judgeVni, sweep, thaw, thawVni } from '../plan/cooldown.ts';
import type { ClaimChange, View, ViewChange } from '../store/view.ts';

export interface ThawerParts {
  readonly view: View;
  readonly writer: TermWriter;
  /** How far a network's hosts are; called when that may have changed; and since when a host cannot be asked. */
  readonly standing: (network: NetworkId) => Standing;
  readonly subscribeStanding: (listener: (network: NetworkId) => void) => () => void;
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
const retryAfter = seconds(1);

/** One transaction has room for these, each with its Ethernet address. */
const most = 40;

/** Of what it writes. */
const cause = 'cooldown';

/**
 * Gives freed addresses to all again once no host can still send to who had them, and VNIs of deleted networks once no
 * host can still have those. Hosts that cannot be asked are waited for from the beginning of the term on.
 */
export class Thawer implements Controller {
  readonly #parts: ThawerParts;
  readonly #cooldown: Duration;
  readonly #loop: Loop;
  readonly #cooling = new Map<NetworkId, Map<Ip, Cooling>>();
  readonly #coolingVnis = new Map<NetworkId, CoolingVni>();
  /** Networks about which something may be different. */
  readonly #dirty = new Set<NetworkId>();
  /** When networks are to be looked at again even if nothing is told of them. */
  readonly #due = new Map<NetworkId, number>();

  constructor(parts: ThawerParts, settings: ThawerSettings) {
    this.#parts = parts;
    this.#cooldown = settings.cooldown;
    const failed = failureLog(parts.log, 'ipam.not-thawed');
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  async run({ signal }: Term): Promise<void> {
    const { view, subscribeStanding } = this.#parts;
    const unsubscribe = [
      view.subscribeClaims((change) => this.#follow(change)),
      view.subscribe((changes) => this.#see(changes)),
      subscribeStanding((network) => this.#moved(network)),
    ];
    this.#readAll();
    await this.#loop.run(signal);
    for (const leave of unsubscribe) leave();
  }

  #readAll(): void {
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

  #see(changes: readonly ViewChange[]): void {
    for (const change of changes) {
      if (change.kind === 'reset') this.#readAll();
      else if (change.kind === 'network' && change.after === undefined) this.#suspect(change.id);
    }
  }

  /** How far the hosts of a network are may have changed. */
  #moved(network: NetworkId): void {
    if (this.#cooling.has(network) || this.#coolingVnis.has(network)) this.#suspect(network);
  }

  #suspect(network: NetworkId): void {
    this.#dirty.add(network);
    this.#loop.wake();
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

  /** Returns when what cools now is to be looked at again. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    const { clock } = this.#parts;
    await clock.sleep(pause, signal);
    for (const [network, at] of this.#due) if (at <= clock.now()) this.#dirty.add(network);
    for (const network of this.#dirty) {
      if (signal.aborted) return undefined;
      await this.#settle(network, signal);
    }
    if (this.#due.size === 0) return undefined;
    return milliseconds(Math.max(0, Math.min(...this.#due.values()) - clock.now()));
  }

  /** What fails stays dirty. */
  async #settle(network: NetworkId, signal: AbortSignal): Promise<void> {
    this.#dirty.delete(network);
    try {
      await this.#thaw(network, signal);
    } catch (error) {
      this.#dirty.add(network);
      throw error;
    }
  }

  /** A plan may wait for the store or for the view: whether an address is clear is judged again when it is planned. */
  async #thaw(network: NetworkId, signal: AbortSignal): Promise<void> {
    const { view, writer, log } = this.#parts;
    while (!signal.aborted && !view.networks.has(network) && view.addressesOf(network).size > 0)
      await writer.apply(sweep(network, most), { cause, signal });
    const { addresses, vni } = this.#clear(network);
    for (let at = 0; at < addresses.length && !signal.aborted; at += most) {
      const some = addresses.slice(at, at + most);
      const isClear = (): readonly Cooling[] => this.#judge(network, some).clear;
      const { reply } = await writer.apply(thaw(network, isClear), { cause, signal });
      if (reply > 0) log.debug('ipam.thawed', { networkId: network, addresses: reply });
    }
    if (vni === undefined || signal.aborted) return;
    const { reply } = await writer.apply(
      thawVni(() => this.#clear(network).vni),
      { cause, signal },
    );
    if (reply !== undefined) log.debug('ipam.vni-thawed', { networkId: network, vni: reply });
  }

  /** What can be given again now; notes when to look at the rest. */
  #clear(network: NetworkId): { readonly addresses: readonly Cooling[]; readonly vni: CoolingVni | undefined } {
    const { standing, clock } = this.#parts;
    const { clear: addresses, next } = this.#judge(network, [...(this.#cooling.get(network)?.values() ?? [])]);
    const vni = this.#coolingVnis.get(network);
    const verdict = vni && judgeVni(vni, standing(network), clock.now(), this.#cooldown);
    const due = verdict?.kind === 'until' ? Math.min(next, verdict.at) : next;
    if (due === Number.POSITIVE_INFINITY) this.#due.delete(network);
    else this.#due.set(network, due);
    return { addresses, vni: verdict?.kind === 'clear' ? vni : undefined };
  }

  /** Those that are clear, and when the first of the others is that waits for a time. */
  #judge(network: NetworkId, some: readonly Cooling[]): { readonly clear: readonly Cooling[]; readonly next: number } {
    const { standing, silentSince, clock } = this.#parts;
    const now = clock.now();
    const hosts = standing(network);
    const clear: Cooling[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const cooling of some) {
      const verdict = judge(cooling, hosts, silentSince(cooling.node), now, this.#cooldown);
      if (verdict.kind === 'clear') clear.push(cooling);
      if (verdict.kind === 'until') next = Math.min(next, verdict.at);
    }
    return { clear, next };
  }
}
