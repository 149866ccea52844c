import { join } from 'node:path';
import { formatSealingKeyFile, parseSealingKeyFile, type SealingKeyFile } from '@causeway/identity';
import { readSecretFile, writeSecretFile } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';

/** Undefined: there is no such file. @throws CausewayError key-exposed, data-damaged */
export async function readSealingKey(dataDir: string): Promise<SealingKeyFile | undefined> {
  const path = sealingKeyPath(dataDir);
  const content = await readSecretFile(path);
  if (content === undefined) return undefined;
  const file = parseSealingKeyFile(content);
  if (file.ok) return file.value;
  const message = `${path}: ${file.error.message}; copy it from another manager, or remove this manager and join again`;
  throw new CausewayError('data-damaged', message, { path });
}

/** Durable when it resolves. */
export async function writeSealingKey(dataDir: string, file: SealingKeyFile): Promise<void> {
  await writeSecretFile(sealingKeyPath(dataDir), formatSealingKeyFile(file));
}

function sealingKeyPath(dataDir: string): string {
  return join(dataDir, 'sealing-key.json');
}
