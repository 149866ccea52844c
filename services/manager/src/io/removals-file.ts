import { join } from 'node:path';
import { identityDirectory, readSecretFile, writeSecretFile } from '@causeway/identity/io';
import { CausewayError, type ClusterId, isCausewayError } from '@causeway/model';
import { type Json, list, object, text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Removal } from '../store/records/removal.ts';

/**
 * The removals that the store has, on the disk of each manager. A backup does not know of later removals, so a restore takes them from
 * here. The file is beside the manager's identity, which an operator keeps in a restore.
 * @throws CausewayError key-exposed, data-damaged
 */
export async function readRemovals(dataDir: string, cluster: ClusterId): Promise<readonly Removal[]> {
  const path = removalsPath(dataDir);
  const content = await readSecretFile(path);
  if (content === undefined) return [];
  const kept = parse(content);
  if (kept === undefined) {
    const message = `${path} is damaged: remove it, and after the restore remove again what was removed since the backup`;
    throw new CausewayError('data-damaged', message, { path });
  }
  return kept.cluster === cluster ? kept.removals : [];
}

/** Durable when it resolves. */
export async function writeRemovals(dataDir: string, cluster: ClusterId, removals: readonly Removal[]): Promise<void> {
  const content = { cluster, removals: removals.map((removal) => records.removed.codec.toJson(removal)) };
  await writeSecretFile(removalsPath(dataDir), `${JSON.stringify(content)}\n`);
}

function removalsPath(dataDir: string): string {
  return join(identityDirectory(dataDir), 'removals.json');
}

function parse(content: string): { readonly cluster: string; readonly removals: readonly Removal[] } | undefined {
  try {
    const json = object(JSON.parse(content) as Json);
    const removals = list(json, 'removals').map((each) => records.removed.codec.fromJson(object(each)));
    return { cluster: text(json, 'cluster'), removals };
  } catch (error) {
    if (isCausewayError(error) || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
