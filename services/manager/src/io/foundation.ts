import type { SealingKeyFile } from '@causeway/identity';
import { createKey, type LiveCredential } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Founding } from '../cluster/bootstrap.ts';
import { Custody } from '../cluster/ca/custody.ts';
import type { ManagerConfig } from '../config/config.ts';
import { readFounding } from './founding-file.ts';
import { readSealingKey, writeSealingKey } from './sealing-key-file.ts';

/**
 * What `causeway-manager init` has left for the first start, and what this manager issues certificates with.
 * @throws CausewayError data-damaged, key-exposed
 */
export async function readFoundation(
  { name, dataDir }: Pick<ManagerConfig, 'name' | 'dataDir'>,
  credential: LiveCredential,
  log: Log,
): Promise<{ readonly founding?: Founding; readonly custody?: Custody }> {
  const founding = await readFounding(dataDir);
  const file = await readSealingKey(dataDir);
  if (founding !== undefined && founding.clusterId !== file?.cluster) {
    const message = `--data-dir ${dataDir}: "causeway-manager init" was interrupted there; run it again`;
    throw new CausewayError('data-damaged', message, { path: dataDir });
  }
  const keep = (changed: SealingKeyFile): Promise<void> => writeSealingKey(dataDir, changed);
  const onChange = (listener: () => void): (() => void) => credential.onReplace(listener);
  const own = { name, key: () => credential.current.key, onChange };
  const custody = file && new Custody({ keep, createKey, own, log }, file);
  return { ...(founding && { founding }), ...(custody && { custody }) };
}
