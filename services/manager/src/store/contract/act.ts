import { expect } from 'vitest';
import { keyBytes, keyText } from '../range.ts';
import type { Compare, KeyValue, Store, Write } from '../store.ts';

/* Helpers of the cases. */
export function put(key: string, value = 'x', lease?: bigint): Write {
  return { kind: 'put', key, value: keyBytes(value), ...(lease !== undefined && { lease }) };
}

export function remove(key: string): Write {
  return { kind: 'delete', key };
}

/** Commits a transaction that must succeed. Returns its revision. */
export async function write(store: Store, ...writes: Write[]): Promise<bigint> {
  const { succeeded, revision } = await store.txn([], writes);
  expect(succeeded).toBe(true);
  return revision;
}

/** Whether a transaction with these conditions succeeds. */
export async function holds(store: Store, ...compares: Compare[]): Promise<boolean> {
  return (await store.txn(compares, [])).succeeded;
}

export async function read(store: Store, key: string): Promise<string | undefined> {
  const { kv } = await store.get(key);
  return kv === undefined ? undefined : keyText(kv.value);
}

/** All keys under a prefix that has less than a page of keys. */
export async function under(store: Pick<Store, 'page'>, prefix: string): Promise<readonly KeyValue[]> {
  const before = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const { kvs, more } = await store.page({ from: prefix, before }, { limit: 100_000 });
  if (more) throw new Error(`${prefix} holds more than a page`);
  return kvs;
}

export async function must(store: Store, key: string): Promise<KeyValue> {
  const { kv } = await store.get(key);
  if (kv === undefined) throw new Error(`no key ${key}`);
  return kv;
}

/** Returns the error of a promise that must fail. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error('expected to fail, but it succeeded');
  return outcome.error;
}
