import { unwrap } from '@causeway/model';
import type { Keys } from '../../store/keys.ts';
import { records } from '../../store/records/index.ts';
import type { Removal } from '../../store/records/removal.ts';
import type { KeyValue, Store, Write } from '../../store/store.ts';

interface RevocationParts {
  readonly store: Pick<Store, 'get' | 'page' | 'txn'>;
  readonly keys: Keys;
  /** Unix ms. */
  readonly now: number;
}

interface Renewed {
  /** Number of join tokens that could be used by the backup. */
  readonly tokens: number;
  /** What was removed after the backup, and is removed now, too. */
  readonly removals: readonly Removal[];
}

/** Keys in one page and one transaction. */
const pageSize = 50;

/**
 * A backup brings back the access of those from whom it was taken after the backup. So no token of the backup can be used any more: it
 * may have been used or revoked since. `kept`: the removals that a manager has on its disk: those that the backup lacks are made again.
 */
export async function renewRevocations(parts: RevocationParts, kept: readonly Removal[]): Promise<Renewed> {
  const removals: Removal[] = [];
  for (const removal of kept) if (await removeAgain(parts, removal)) removals.push(removal);
  return { tokens: await revokeTokens(parts), removals };
}

async function revokeTokens({ store, keys, now }: RevocationParts): Promise<number> {
  const revoke = ({ key, value }: KeyValue): Write[] => {
    const { value: token, original } = unwrap(records.token.codec.decode(value));
    if (token.revoked !== undefined || token.expires <= now) return [];
    return [{ kind: 'put', key, value: records.token.codec.encode({ ...token, revoked: now }, original) }];
  };
  let count = 0;
  const prefix = keys.under('token');
  const before = `${prefix.slice(0, -1)}0`; // The prefix ends in "/", and "0" follows it.
  for (let from = prefix; ; ) {
    const { kvs, more } = await store.page({ from, before }, { limit: pageSize });
    const writes = kvs.flatMap(revoke);
    if (writes.length > 0) await store.txn([], writes);
    count += writes.length;
    const last = kvs.at(-1);
    if (!more || last === undefined) return count;
    from = `${last.key}\0`;
  }
}

/** False: the store has this removal, or a later one, or the manager has joined again since. */
async function removeAgain({ store, keys, now }: RevocationParts, removal: Removal): Promise<boolean> {
  const { role, id, at, until, knownCa } = removal;
  const key = keys.removed(role, id);
  const found = (await store.get(key)).kv;
  const present = found && unwrap(records.removed.codec.decode(found.value)).value;
  const isOver = until <= now && knownCa === undefined;
  if (isOver || (present !== undefined && present.at >= at)) return false;
  const certificateKey = keys.certificate(role, id);
  const held = (await store.get(certificateKey)).kv;
  const issued = held && unwrap(records.certificate.codec.decode(held.value)).value.issued;
  const isRefused = issued !== undefined && issued <= at;
  if (issued !== undefined && !isRefused && knownCa !== undefined) return false;
  await store.txn(
    [],
    [
      { kind: 'put', key, value: records.removed.codec.encode(removal) },
      ...(isRefused ? [{ kind: 'delete', key: certificateKey } as const] : []),
    ],
  );
  return true;
}
