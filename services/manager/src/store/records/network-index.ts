import type { Family, Name, Network, NetworkId } from '@causeway/model';
import { prefixRange } from './address-range.ts';
import { entry, prune } from './entries.ts';
import type { Versioned } from './kind.ts';
import { NamedIndex } from './named-index.ts';
import { PrefixBook } from './prefix-book.ts';

/** Networks by id, by name and by subnet. A new subnet is compared with its neighbours, not with thousands of networks. */
export class NetworkIndex extends NamedIndex<NetworkId, Network> {
  readonly #subnets = new Map<string, PrefixBook<NetworkId>>();

  constructor() {
    super('network');
  }

  /** The subnets that the networks of an address space have in one family. */
  subnetsIn(space: Name, family: Family): Pick<PrefixBook<NetworkId>, 'overlapping' | 'runs'> {
    return this.#subnets.get(bookName(space, family)) ?? none;
  }

  override set(parts: { readonly id: NetworkId }, record: Versioned<Network>): void {
    this.#forget(parts.id);
    super.set(parts, record);
    const { addressSpace, subnets } = record.value;
    for (const { prefix } of subnets) {
      const range = prefixRange(prefix);
      entry(this.#subnets, bookName(addressSpace, range.family), newBook).add(range, parts.id);
    }
  }

  override delete(parts: { readonly id: NetworkId }): void {
    this.#forget(parts.id);
    super.delete(parts);
  }

  #forget(id: NetworkId): void {
    const former = this.get({ id })?.value;
    for (const { prefix } of former?.subnets ?? []) {
      const range = prefixRange(prefix);
      prune(this.#subnets, bookName(former?.addressSpace, range.family), (book) => book.delete(range, id));
    }
  }
}

const none = new PrefixBook<NetworkId>();

function newBook(): PrefixBook<NetworkId> {
  return new PrefixBook();
}

function bookName(space: Name | undefined, family: Family): string {
  return `${family} ${space}`;
}
