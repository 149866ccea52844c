import { RangeRequest, RangeRequest_SortOrder, RangeRequest_SortTarget } from '@causeway/proto/gen/etcd/rpc.js';
import { keyAfter, keyBytes, prefixRange } from '../../store/range.ts';
import type { KeySpan, KeyValue, Page, PageOptions } from '../../store/store.ts';
import { isCompacted } from './failure.ts';
import type { CallBounds, EtcdPool } from './pool.ts';
import { pageFromWire } from './wire.ts';

export interface Listing {
  readonly kvs: readonly KeyValue[];
  readonly revision: bigint;
}

interface ListOptions {
  readonly pageSize: number;
  /** Lists the state at this revision; absent: at the newest. */
  readonly revision?: bigint;
  readonly keysOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** One page of a span, at the newest revision. */
export async function readPage(
  pool: EtcdPool,
  { from, before }: KeySpan,
  { limit, newest = false, keysOnly = false }: PageOptions,
  bounds: CallBounds,
): Promise<Page> {
  const request = RangeRequest.create({
    key: keyBytes(from),
    rangeEnd: keyBytes(before),
    limit: BigInt(limit),
    keysOnly,
    ...(newest && { sortOrder: RangeRequest_SortOrder.DESCEND, sortTarget: RangeRequest_SortTarget.KEY }),
  });
  const reply = await pool.repeat('reading etcd', bounds, ({ clients }, within) =>
    pool.call(clients.kv.range.bind(clients.kv), request, within),
  );
  return pageFromWire(reply);
}

/**
 * All keys of a prefix at one revision, in pages, so that no reply grows with the store. Each page has the whole call
 * timeout.
 */
export async function listPrefix(pool: EtcdPool, prefix: string, options: ListOptions): Promise<Listing> {
  for (;;) {
    try {
      return await listOnce(pool, prefix, options);
    } catch (error) {
      // The revision of the first page was compacted before the last page was read: begin again with a new first page. A
      // revision that the caller asked for stays gone.
      if (!isCompacted(error) || options.revision !== undefined) throw error;
    }
  }
}

async function listOnce(pool: EtcdPool, prefix: string, options: ListOptions): Promise<Listing> {
  const { start, end } = prefixRange(prefix);
  const kvs: KeyValue[] = [];
  let revision = options.revision;
  let from = start;
  for (;;) {
    const request = RangeRequest.create({
      key: from,
      rangeEnd: end,
      limit: BigInt(options.pageSize),
      keysOnly: options.keysOnly ?? false,
      ...(revision !== undefined && { revision }),
    });
    const reply = await pool.repeat(
      'reading etcd',
      pool.bounds(options.signal),
      ({ clients }, bounds) => pool.call(clients.kv.range.bind(clients.kv), request, bounds),
      isCompacted,
    );
    const page = pageFromWire(reply);
    for (const kv of page.kvs) kvs.push(kv);
    revision ??= page.revision;
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { kvs, revision };
    from = keyAfter(last.key);
  }
}
