import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CausewayError, unwrap } from '@causeway/model';
import { type BackupHeader, checksumLength, decodePreamble, longestPreamble } from '../../cluster/backup/format.ts';
import { createChecksum } from './checksum.ts';

/**
 * Checks a backup and writes its snapshot to a file of its own.
 * @throws CausewayError invalid-argument for a file that cannot be read, data-damaged for a file that is not a complete
 * backup
 */
export async function unpackBackup(path: string, snapshotPath: string): Promise<BackupHeader> {
  const { size, beginning, checksum } = await readEnds(path);
  const { header, length } = unwrap(decodePreamble(beginning));
  const end = size - checksumLength;
  const actual = createChecksum();
  actual.update(beginning.subarray(0, length));
  if (end > length)
    await pipeline(
      createReadStream(path, { start: length, end: end - 1 }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          actual.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(snapshotPath, { mode: 0o600 }),
    );
  if (end <= length || !checksum.equals(actual.digest())) {
    const message = `${path}: the backup is damaged or was cut off (its checksum differs); take another one`;
    throw new CausewayError('data-damaged', message, { path });
  }
  return header;
}

async function readEnds(path: string): Promise<{ size: number; beginning: Buffer; checksum: Buffer }> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const read = async (length: number, position: number): Promise<Buffer> => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
        return buffer.subarray(0, bytesRead);
      };
      const checksum = await read(checksumLength, Math.max(0, size - checksumLength));
      return { size, beginning: await read(longestPreamble, 0), checksum };
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new CausewayError('invalid-argument', `${path}: cannot be read (${why})`, { field: 'file', path }, { cause });
  }
}
