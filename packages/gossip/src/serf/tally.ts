import type { Address } from '../swim/member.ts';
import { type Bytes, equalBytes } from '../wire/bytes.ts';
import { decodeConflictResponse, decodeKeyResponse } from './answer.ts';

/** What all nodes said to an operation on keys. */
export interface KeyReport {
  /** How many nodes were asked, and how many answered. */
  readonly nodes: number;
  readonly answers: number;
  /** Whether each node did what was asked. */
  readonly isEverywhere: boolean;
  /** Why nodes failed, by the name of the node; also what nodes remarked that did not fail. */
  readonly errors: ReadonlyMap<string, string>;
  readonly remarks: ReadonlyMap<string, string>;
  /** How many nodes have each key, and how many have it as the primary; keys in base64. */
  readonly keys: ReadonlyMap<string, number>;
  readonly primaryKeys: ReadonlyMap<string, number>;
}

/** Counts the answers of nodes to an operation on keys. */
export class KeyTally {
  readonly #nodes: number;
  readonly #errors = new Map<string, string>();
  readonly #remarks = new Map<string, string>();
  readonly #keys = new Map<string, number>();
  readonly #primaryKeys = new Map<string, number>();
  #answers = 0;

  /** `nodes`: how many should answer. */
  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  get isComplete(): boolean {
    return this.#answers >= this.#nodes;
  }

  get report(): KeyReport {
    return {
      nodes: this.#nodes,
      answers: this.#answers,
      isEverywhere: this.isComplete && this.#errors.size === 0,
      errors: this.#errors,
      remarks: this.#remarks,
      keys: this.#keys,
      primaryKeys: this.#primaryKeys,
    };
  }

  add(from: string, payload: Bytes): void {
    this.#answers++;
    const response = decodeKeyResponse(payload);
    if (response === undefined) {
      this.#errors.set(from, 'unreadable answer');
      return;
    }
    const { result, message, keys, primaryKey } = response;
    if (!result) this.#errors.set(from, message);
    else if (message !== '') this.#remarks.set(from, message);
    for (const key of keys) count(this.#keys, key);
    if (primaryKey !== '') count(this.#primaryKeys, primaryKey);
  }
}

function count(all: Map<string, number>, key: string): void {
  all.set(key, (all.get(key) ?? 0) + 1);
}

/** Counts where other nodes know this node's name. */
export class NameVote {
  readonly #name: string;
  readonly #address: Address;
  #votes = 0;
  #mine = 0;

  constructor(name: string, address: Address) {
    this.#name = name;
    this.#address = address;
  }

  add(payload: Bytes): void {
    const response = decodeConflictResponse(payload);
    if (response?.name !== this.#name) return;
    this.#votes++;
    if (isSameAddress(response, this.#address)) this.#mine++;
  }

  /** Whether this node keeps its name: a node that gets no votes gives it up, as in serf. */
  get isWon(): boolean {
    return this.#mine >= Math.floor(this.#votes / 2) + 1;
  }
}

const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** Whether two addresses are one; an IPv4 address may be mapped into IPv6. */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && equalBytes(unmapped(a.addr), unmapped(b.addr));
}

function unmapped(addr: Bytes): Bytes {
  return addr.length === 16 && equalBytes(addr.subarray(0, 12), mappedPrefix) ? addr.subarray(12) : addr;
}
