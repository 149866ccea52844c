import {
  formatStoredKeys,
  type HostPlan,
  type HostView,
  noStoredKeys,
  type PeerOfHost,
  PossibleSas,
  parseStoredKeys,
  planHost,
  type Receipt,
  type RekeyReason,
  rekeyPeriod,
  type StoredKeys,
  type Unsigned,
  withGeneration,
} from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { type ClusterId, Ip, type NodeId, unwrap } from '@causeway/model';

/** SAs, policies and sockets, as a kernel has them or shall have them. */
export type Ipsec = HostPlan['desired'];

export interface IpsecKernel {
  found(): Promise<Ipsec>;
  /** False: the agent ended in the middle of the work. */
  become(desired: HostPlan['desired']): Promise<boolean>;
}

/** What one host tells another, as managers bring it. */
export interface Told {
  readonly address: Ip;
  /** Absent: the host has published no keys yet. */
  readonly record?: Unsigned;
  readonly receipt?: Receipt;
}

/** A host with the rekey protocol and a kernel, without an agent. Messages between hosts arrive when `hears` is called. */
export class KeyedHost {
  readonly own: HostView['own'];
  /** Why the host shall make a new generation. */
  wanted: RekeyReason | undefined;
  readonly #kernel: IpsecKernel;
  readonly #peers = new Map<NodeId, PeerOfHost>();
  #receipts: ReadonlyMap<NodeId, Receipt> = new Map();
  #record: Unsigned | undefined;
  #published: HostView['published'];
  #keys: StoredKeys;
  #stored: string;
  #sas = new PossibleSas();

  /** `encapPort`: see `HostView`. `stored`: what an earlier agent of the host has stored. */
  constructor(
    number: number,
    address: string,
    kernel: IpsecKernel,
    {
      encapPort,
      stored = formatStoredKeys(noStoredKeys),
    }: { readonly encapPort?: number; readonly stored?: string } = {},
  ) {
    const cluster = '0123456789abcdef' as ClusterId;
    const node = number.toString(16).padStart(16, '0') as NodeId;
    const needs = encapPort === undefined ? {} : { encapPort };
    this.own = { cluster, node, index: 0x100 + number, address: Ip(address), ...needs };
    this.#kernel = kernel;
    this.#stored = stored;
    this.#keys = unwrap(parseStoredKeys(stored));
  }

  /** What outlives the agent. It is complete when the kernel is asked to become as desired. */
  get stored(): string {
    return this.#stored;
  }

  get generation(): number {
    return this.#keys.keyring.generations.at(-1)?.generation ?? 0;
  }

  /** One round. */
  async work(): Promise<void> {
    const stored = this.#keys;
    const known = { published: this.#published, peers: this.#peers };
    const view = { own: this.own, stored, sas: this.#sas, ...known, period: rekeyPeriod };
    const next = planHost(view, await this.#kernel.found(), this.wanted, Date.now());
    let { keyring } = next;
    const keys = new Map(stored.keys);
    if (next.create !== undefined) {
      keyring = withGeneration(keyring, next.create, Date.now());
      keys.set(next.create.generation, createNodeKey());
      this.wanted = undefined;
    }
    this.#keys = { keyring, keys };
    this.#stored = formatStoredKeys(this.#keys);
    if (!(await this.#kernel.become(next.desired))) return this.#end();
    this.#receipts = next.receipts;
    if (next.publish !== undefined) this.#record = next.publish;
  }

  /** What the managers bring. */
  hears(other: KeyedHost): void {
    this.hear(other.tells(this.own.node));
  }

  hear({ record, address, receipt }: Told): void {
    const newest = this.#record?.generations.at(-1)?.generation ?? 0;
    this.#published = this.#record && { version: this.#record.version, newest };
    if (record !== undefined) this.#peers.set(record.node, { keys: record, address, ...(receipt && { receipt }) });
  }

  tells(node: NodeId): Told {
    const receipt = this.#receipts.get(node);
    return { address: this.own.address, ...(this.#record && { record: this.#record }), ...(receipt && { receipt }) };
  }

  /** The agent ends. Only its file and its kernel are left. */
  #end(): void {
    this.#keys = unwrap(parseStoredKeys(this.#stored));
    this.#sas = new PossibleSas();
    this.#receipts = new Map();
    for (const [node, { receipt: _, ...known }] of this.#peers) this.#peers.set(node, known);
  }
}
