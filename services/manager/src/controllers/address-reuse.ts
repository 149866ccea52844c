import type { Ip, NetworkId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { type CooldownFacts, type CoolingAddress, type CoolingVni, judgeAddress, judgeVni } from '../ipam/cooldown.ts';
import { freeAddresses, freeVni, removeClaimsOfDeleted } from '../plan/cooldown.ts';
import type { ClaimChange, View, ViewChange } from '../store/view.ts';
import type { HostReports } from './host-reports.ts';

interface AddressReuseControllerParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly hosts: Pick<HostReports, 'progress' | 'subscribeProgress' | 'silentSince'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface AddressReuseControllerSettings {
  /** How long to wait for hosts without a session. */
  readonly cooldown: Duration;
}

/** Debounce: the reports of a burst are handled together. */
const pause = milliseconds(20);
const retryAfter = seconds(1);

/** Most addresses that one transaction frees, each with its MAC address. */
const most = 40;

/** Cause of this controller's writes, in events. */
const cause = 'cooldown';

/**
 * Ends cooldowns. An address may be given again when no host can still send to the endpoint that had the address. A VNI may
 * be given again when no host can still hold the deleted network that had the VNI. For hosts without a session the cooldown
 * begins with the term.
 */
export class AddressReuseController implements Controller {
  readonly #parts: AddressReuseControllerParts;
  readonly #cooldown: Duration;
  readonly #loop: Loop;
  readonly #cooling = new Map<NetworkId, Map<Ip, CoolingAddress>>();
  readonly #coolingVnis = new Map<NetworkId, CoolingVni>();
  /** Networks in which a cooldown may be over. */
  readonly #dirty = new Set<NetworkId>();
  /** When to look at a network again, even if nothing changes, ms on the monotonic clock. */
  readonly #due = new Map<NetworkId, number>();

  constructor(parts: AddressReuseControllerParts, settings: AddressReuseControllerSettings) {
    this.#parts = parts;
    this.#cooldown = settings.cooldown;
    const failed = failureLog(parts.log, 'ipam.cooldown-not-ended');
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  async run({ signal }: Term): Promise<void> {
    const { view, hosts } = this.#parts;
    const unsubscribe = [
      view.subscribeClaims((change) => this.#follow(change)),
      view.subscribe((changes) => this.#see(changes)),
      hosts.subscribeProgress((network) => this.#moved(network)),
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

  /** The progress of a network may have changed. */
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
      const cooling = this.#cooling.get(network) ?? new Map<Ip, CoolingAddress>();
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

  /** Returns the time until the next look. */
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

  /** A network whose step fails stays dirty. */
  async #settle(network: NetworkId, signal: AbortSignal): Promise<void> {
    this.#dirty.delete(network);
    try {
      await this.#free(network, signal);
    } catch (error) {
      this.#dirty.add(network);
      throw error;
    }
  }

  /** A write may have to wait for the store or the view, so each cooldown is judged again when the write is planned. */
  async #free(network: NetworkId, signal: AbortSignal): Promise<void> {
    const { view, writer, log } = this.#parts;
    while (!signal.aborted && !view.networks.has(network) && view.addressesOf(network).size > 0)
      await writer.apply(removeClaimsOfDeleted(network, most), { cause, signal });
    const { addresses, vni } = this.#judgeAll(network);
    for (let at = 0; at < addresses.length && !signal.aborted; at += most) {
      const some = addresses.slice(at, at + most);
      const over = (): readonly CoolingAddress[] => this.#judge(network, some).over;
      const { reply } = await writer.apply(freeAddresses(network, over), { cause, signal });
      if (reply > 0) log.debug('ipam.addresses-freed', { networkId: network, addresses: reply });
    }
    if (vni === undefined || signal.aborted) return;
    const { reply } = await writer.apply(
      freeVni(() => this.#judgeAll(network).vni),
      { cause, signal },
    );
    if (reply !== undefined) log.debug('ipam.vni-freed', { networkId: network, vni: reply });
  }

  /** Returns the addresses and the VNI whose cooldown is over. Notes in `#due` when to look at the others. */
  #judgeAll(network: NetworkId): {
    readonly addresses: readonly CoolingAddress[];
    readonly vni: CoolingVni | undefined;
  } {
    const { over: addresses, next } = this.#judge(network, [...(this.#cooling.get(network)?.values() ?? [])]);
    const vni = this.#coolingVnis.get(network);
    const verdict = vni && judgeVni(vni, this.#factsOf(network));
    const due = verdict?.kind === 'waits-until' ? Math.min(next, verdict.at) : next;
    if (due === Number.POSITIVE_INFINITY) this.#due.delete(network);
    else this.#due.set(network, due);
    return { addresses, vni: verdict?.kind === 'over' ? vni : undefined };
  }

  /** Returns the addresses whose cooldown is over, and the earliest time at which another cooldown can end. */
  #judge(
    network: NetworkId,
    some: readonly CoolingAddress[],
  ): { readonly over: readonly CoolingAddress[]; readonly next: number } {
    const facts = this.#factsOf(network);
    const over: CoolingAddress[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const address of some) {
      const verdict = judgeAddress(address, facts, this.#parts.hosts.silentSince(address.node));
      if (verdict.kind === 'over') over.push(address);
      if (verdict.kind === 'waits-until') next = Math.min(next, verdict.at);
    }
    return { over, next };
  }

  #factsOf(network: NetworkId): CooldownFacts {
    const { hosts, clock } = this.#parts;
    return { progress: hosts.progress(network), now: clock.now(), cooldown: this.#cooldown };
  }
}
