import { CausewayError, unwrap } from '@causeway/model';
import type { Keys } from '../../store/keys.ts';
import { encodeText } from '../../store/records/codec.ts';
import { records } from '../../store/records/index.ts';
import type { Store } from '../../store/store.ts';

interface EpochParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly keys: Keys;
}

/**
 * Makes a restored store the beginning of an epoch. No manager leads in it yet, even if one led when the backup was made.
 * The store does not know what hosts have done since the backup.
 */
export async function beginEpoch({ store, keys }: EpochParts, epoch: bigint): Promise<void> {
  const { kv } = await store.get(keys.meta);
  if (kv === undefined) throw new CausewayError('data-damaged', `the backup holds no cluster under ${keys.prefix}`);
  const { value: meta, original } = unwrap(records.meta.codec.decode(kv.value));
  const { succeeded } = await store.txn(
    [{ kind: 'unchanged', key: keys.meta, modRevision: kv.modRevision }],
    [
      { kind: 'put', key: keys.meta, value: records.meta.codec.encode({ ...meta, epoch }, original) },
      { kind: 'put', key: keys.recovery, value: encodeText(`${epoch}`) },
      { kind: 'delete', key: keys.leader },
    ],
  );
  if (!succeeded) throw new CausewayError('internal', 'another client writes to the store that is being restored');
}
