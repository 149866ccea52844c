import { createHash } from 'node:crypto';
import type { Checksum } from '../../cluster/backup/create-backup.ts';

export function createChecksum(): Checksum {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}
