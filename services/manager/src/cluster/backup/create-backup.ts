import { CausewayError, unwrap } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { Keys } from '../../store/keys.ts';
import { records } from '../../store/records/index.ts';
import type { Store } from '../../store/store.ts';
import type { Maintenance } from '../maintenance/maintenance.ts';
import { type BackupHeader, encodePreamble } from './format.ts';

/** An incremental SHA-256. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

interface BackupParts {
  readonly store: Pick<Store, 'get'>;
  readonly maintenance: Pick<Maintenance, 'snapshot'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly createChecksum: () => Checksum;
}

interface Backup {
  readonly header: BackupHeader;
  /** The file, in parts. The iteration throws when the file is incomplete. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** A backup of the store as it is now. @throws CausewayError store-unavailable */
export async function createBackup(parts: BackupParts, version: string, signal: AbortSignal): Promise<Backup> {
  const { store, keys, clock } = parts;
  // First the revision, then the snapshot: the snapshot has this revision or a later one.
  const { kv, revision } = await store.get(keys.meta);
  if (kv === undefined) throw new CausewayError('store-unavailable', 'the store holds no cluster yet: try again');
  const { clusterId, epoch, schema } = unwrap(records.meta.codec.decode(kv.value)).value;
  const header = { clusterId, epoch, revision, schema, version, time: clock.wall(), prefix: keys.prefix };
  return { header, file: readFile(parts, header, signal) };
}

async function* readFile(
  { maintenance, createChecksum }: BackupParts,
  header: BackupHeader,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const checksum = createChecksum();
  const preamble = encodePreamble(header);
  checksum.update(preamble);
  yield preamble;
  for await (const part of maintenance.snapshot(signal)) {
    checksum.update(part);
    yield part;
  }
  yield checksum.digest();
}
