import { CausewayError, type ClusterId, fail, ok, parseClusterId, type Result, unwrap } from '@causeway/model';
import { decodeText, encodeText, type Json, number, object, text } from '../../store/records/codec.ts';

/** Describes what a backup contains. */
export interface BackupHeader {
  readonly clusterId: ClusterId;
  readonly epoch: bigint;
  /** The backup contains at least this revision of the store. */
  readonly revision: bigint;
  readonly schema: number;
  /** Version of the manager that made the backup. */
  readonly version: string;
  /** When the backup was made, Unix time, ms. */
  readonly time: number;
  /** Prefix of the cluster's keys. The backup holds the whole store, not only these keys. */
  readonly prefix: string;
}

/*
 * A backup is a file:
 *
 *   causeway-backup 1 ⏎
 *   {"clusterId":…} ⏎            the header, JSON on one line
 *   …                            etcd's snapshot, which ends in etcd's own checksum
 *   32 bytes                     SHA-256 of all before them
 */

const magic = 'causeway-backup 1\n';

/** Most bytes before the snapshot. Within these a reader can tell that a file is not a backup. */
export const longestPreamble = 16 * 1024;

/** Bytes of a SHA-256. */
export const checksumLength = 32;

/** The preamble: what comes before the snapshot. */
export function encodePreamble(header: BackupHeader): Uint8Array {
  const { clusterId, epoch, revision, schema, version, time, prefix } = header;
  const json = { clusterId, epoch: `${epoch}`, revision: `${revision}`, schema, version, time, prefix };
  return encodeText(`${magic}${JSON.stringify(json)}\n`);
}

interface Preamble {
  readonly header: BackupHeader;
  /** Length of the preamble, bytes. The snapshot begins after it. */
  readonly length: number;
}

/** Reads the preamble from the beginning of a file. */
export function decodePreamble(bytes: Uint8Array): Result<Preamble, CausewayError> {
  const end = bytes.indexOf(newline, magic.length);
  if (end < 0 || decodeText(bytes.subarray(0, magic.length)) !== magic)
    return fail(new CausewayError('data-damaged', 'this file is not a backup made by "causeway backup create"'));
  try {
    const json = object(JSON.parse(decodeText(bytes.subarray(magic.length, end))) as Json);
    const header: BackupHeader = {
      clusterId: unwrap(parseClusterId(text(json, 'clusterId'))),
      epoch: BigInt(text(json, 'epoch')),
      revision: BigInt(text(json, 'revision')),
      schema: number(json, 'schema'),
      version: text(json, 'version'),
      time: number(json, 'time'),
      prefix: text(json, 'prefix'),
    };
    return ok({ header, length: end + 1 });
  } catch (cause) {
    return fail(
      new CausewayError('data-damaged', `the backup’s header cannot be read: ${String(cause)}`, {}, { cause }),
    );
  }
}

const newline = 0x0a;

/**
 * The epoch of a store that is restored at `now` (Unix time, ms). It has to be higher than every epoch that agents may
 * have seen. The backup does not know the epochs that came after it: when one backup is restored twice, two histories
 * begin. So the epoch is the second of the restore.
 */
export function nextEpoch({ epoch }: Pick<BackupHeader, 'epoch'>, now: number): bigint {
  const second = BigInt(Math.trunc(now / 1_000));
  return second > epoch ? second : epoch + 1n;
}
