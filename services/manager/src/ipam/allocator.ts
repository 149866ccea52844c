import { assertNever, type Ip, type Mac, type Network, type NetworkId, type Subnet, type Vni } from '@causeway/model';
import type { ClaimChange, View } from '../store/view.ts';
import { SubnetAddresses } from './subnet-addresses.ts';
import { Vnis, type VniUse } from './vni.ts';

/** An address, Ethernet address or VNI that a proposal in flight is about to claim. */
export type Take =
  | { readonly kind: 'addr'; readonly network: NetworkId; readonly ip: Ip }
  | { readonly kind: 'mac'; readonly network: NetworkId; readonly mac: Mac }
  | { readonly kind: 'vni'; readonly vni: Vni };

/** A network whose addresses were requested, and are kept up to date from then on. */
interface KnownNetwork {
  /** The network's subnets when `subnets` was made. */
  readonly records: readonly Subnet[];
  readonly subnets: readonly SubnetAddresses[];
}

/**
 * What can be given now: all that neither the view nor a proposal in flight has. Automatic choices avoid what a proposal
 * in flight has. No request is refused for that reason, because only the store decides which proposal gets a thing.
 */
export class Allocator {
  readonly #view: View;
  readonly #networks = new Map<NetworkId, KnownNetwork>();
  #vnis = new Vnis();
  /** How many proposals in flight take each thing. */
  readonly #held = new Map<string, { readonly take: Take; count: number }>();

  constructor(view: View) {
    this.#view = view;
    this.#reset();
    view.subscribeClaims((change) => this.#follow(change));
  }

  /**
   * The addresses of a network's subnets, in their order; built when first requested. Where the next automatic choice
   * begins follows from the claims, so a new leader continues where the last leader stopped.
   */
  subnetsOf({ id, subnets: records }: Network): readonly SubnetAddresses[] {
    const known = this.#networks.get(id);
    if (known?.records === records) return known.subnets;
    const isSame = known !== undefined && JSON.stringify(known.records) === JSON.stringify(records);
    const subnets = isSame ? known.subnets : this.#make(id, records);
    this.#networks.set(id, { records, subnets });
    return subnets;
  }

  #make(network: NetworkId, records: readonly Subnet[]): readonly SubnetAddresses[] {
    const subnets = records.map((record) => new SubnetAddresses(record.prefix, record));
    for (const [ip, claimed] of this.#view.addressesOf(network)) {
      const subnet = subnetWith(ip, subnets);
      subnet?.take(ip);
      subnet?.account(ip, undefined, claimed);
    }
    for (const { take } of this.#held.values()) {
      if (take.kind === 'addr' && take.network === network) subnetWith(take.ip, subnets)?.take(take.ip);
    }
    return subnets;
  }

  isMacTaken(network: NetworkId, mac: Mac): boolean {
    return this.#view.macsOf(network).has(mac) || this.#held.has(nameOf({ kind: 'mac', network, mac }));
  }

  /** Where the next automatic choice begins follows from the claims, as for addresses. */
  nextVni(): Vni | undefined {
    return this.#vnis.next();
  }

  get vniUse(): VniUse {
    return this.#vnis.use;
  }

  /** Keeps these things out of other proposals' automatic choices until the returned function is called. */
  hold(takes: readonly Take[]): () => void {
    for (const take of takes) {
      const name = nameOf(take);
      const held = this.#held.get(name);
      if (held === undefined) this.#held.set(name, { take, count: 1 });
      else held.count++;
      this.#mark(take);
    }
    let holding = true;
    return () => {
      if (holding) for (const take of takes) this.#drop(take);
      holding = false;
    };
  }

  #drop(take: Take): void {
    const name = nameOf(take);
    const held = this.#held.get(name);
    if (held === undefined || --held.count > 0) return;
    this.#held.delete(name);
    if (!this.#isClaimed(take)) this.#unmark(take);
  }

  #follow(change: ClaimChange): void {
    if (change.kind === 'reset') {
      this.#reset();
      return;
    }
    if (change.kind === 'addr') this.#subnetOf(change)?.account(change.ip, change.before, change.after);
    if (change.kind === 'vni') this.#vnis.account(change.vni, change.before, change.after);
    if (change.after !== undefined) this.#mark(change);
    else if (!this.#held.has(nameOf(change))) this.#unmark(change);
  }

  #reset(): void {
    this.#networks.clear();
    this.#vnis = new Vnis();
    for (const [vni, claimed] of this.#view.vnis) {
      this.#vnis.take(vni);
      this.#vnis.account(vni, undefined, claimed);
    }
    for (const { take } of this.#held.values()) this.#mark(take);
  }

  #isClaimed(take: Take): boolean {
    switch (take.kind) {
      case 'addr':
        return this.#view.addressesOf(take.network).has(take.ip);
      case 'mac':
        return this.#view.macsOf(take.network).has(take.mac);
      case 'vni':
        return this.#view.vnis.has(take.vni);
      default:
        return assertNever(take);
    }
  }

  #subnetOf({ network, ip }: { readonly network: NetworkId; readonly ip: Ip }): SubnetAddresses | undefined {
    return subnetWith(ip, this.#networks.get(network)?.subnets ?? []);
  }

  #mark(take: Take): void {
    if (take.kind === 'vni') this.#vnis.take(take.vni);
    else if (take.kind === 'addr') this.#subnetOf(take)?.take(take.ip);
  }

  #unmark(take: Take): void {
    if (take.kind === 'vni') this.#vnis.giveBack(take.vni);
    else if (take.kind === 'addr') {
      this.#subnetOf(take)?.giveBack(take.ip);
      if (this.#view.addressesOf(take.network).size === 0) this.#networks.delete(take.network);
    }
  }
}

function subnetWith(ip: Ip, subnets: readonly SubnetAddresses[]): SubnetAddresses | undefined {
  return subnets.find((subnet) => subnet.contains(ip));
}

function nameOf(take: Take): string {
  switch (take.kind) {
    case 'addr':
      return `${take.network}/${take.ip}`;
    case 'mac':
      return `${take.network}/${take.mac}`;
    case 'vni':
      return `${take.vni}`;
    default:
      return assertNever(take);
  }
}
