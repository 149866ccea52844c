import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CausewayError, fail, type NodeId, ok, type Result } from '@causeway/model';
import type { Pair } from './pair.ts';
import { emptyKeyring, type Keyring, type OwnGeneration, type PairLists } from './protocol/view.ts';

/** What a node writes below /run, which no reboot survives: its private keys, and what it must remember as long as it has them. */
export interface StoredKeys {
  readonly keyring: Keyring;
  /** By generation. */
  readonly keys: ReadonlyMap<number, KeyObject>;
}

export const noStoredKeys: StoredKeys = { keyring: emptyKeyring, keys: new Map() };

interface Document {
  readonly form: 1;
  readonly version: number;
  readonly generations: readonly (OwnGeneration & { readonly key: JsonWebKey })[];
  readonly made: readonly (readonly [NodeId, PairLists])[];
  readonly confirmed: readonly (readonly [NodeId, number])[];
}

/** Secret. Keys of generations that the keyring has no more are left out: nothing else has them. */
export function formatStoredKeys({ keyring, keys }: StoredKeys): string {
  const document: Document = {
    form: 1,
    version: keyring.version,
    generations: keyring.generations.map((own) => {
      const key = keys.get(own.generation);
      if (key === undefined) throw new TypeError(`the generation ${own.generation} has no private key`);
      return { ...own, key: key.export({ format: 'jwk' }) };
    }),
    made: [...keyring.made],
    confirmed: [...keyring.confirmed],
  };
  return `${JSON.stringify(document)}\n`;
}

/**
 * The error contains no part of the text. A node whose keys are damaged makes new ones: it must not guess which SAs were made
 * from the old ones.
 */
export function parseStoredKeys(text: string): Result<StoredKeys, CausewayError> {
  try {
    const { form, version, generations, made, confirmed } = JSON.parse(text) as Document;
    if (form !== 1) return damaged();
    const keys = new Map<number, KeyObject>();
    const own = generations.map(({ key, ...each }) => {
      keys.set(count(each.generation), createPrivateKey({ key, format: 'jwk' }));
      return readGeneration(each);
    });
    const lists = made.map(([node, { received, sent }]): [NodeId, PairLists] => {
      return [node, { received: received.map(readPair), sent: sent.map(readPair) }];
    });
    const versions = confirmed.map(([node, each]): [NodeId, number] => [node, count(each)]);
    const isX25519 = [...keys.values()].every(({ asymmetricKeyType }) => asymmetricKeyType === 'x25519');
    if (!isX25519 || keys.size !== own.length) return damaged();
    const keyring = { version: count(version), generations: own, made: new Map(lists), confirmed: new Map(versions) };
    return ok({ keyring, keys });
  } catch {
    return damaged(); // without the cause, which may quote the text
  }
}

function readGeneration(written: OwnGeneration): OwnGeneration {
  const { generation, createdAt, offeredIn, withdrawnIn, encapPort } = written;
  return {
    ...{ generation, createdAt: count(createdAt), offeredIn: count(offeredIn) },
    ...(withdrawnIn !== undefined && { withdrawnIn: count(withdrawnIn) }),
    ...(encapPort !== undefined && { encapPort: count(encapPort) }),
  };
}

function readPair({ sender, receiver }: Pair): Pair {
  return { sender: count(sender), receiver: count(receiver) };
}

function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('not a count');
  return value;
}

function damaged(): Result<never, CausewayError> {
  return fail(new CausewayError('data-damaged', 'the stored keys for encrypted networks are damaged'));
}
