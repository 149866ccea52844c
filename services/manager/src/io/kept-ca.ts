import { join } from 'node:path';
import { readSecretFile, writeSecretFile } from '@causeway/identity/io';
import { CausewayError, type ClusterId, isCausewayError, parseClusterId, unwrap } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Ca } from '../store/records/ca.ts';
import { type Json, object, text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { View } from '../store/view.ts';

/** The CA as this manager last saw it. With the sealing key, a credential can be made from it while the store is out of reach. */
export interface KeptCa {
  readonly clusterId: ClusterId;
  readonly ca: Ca;
}

/** Undefined: there is no such file. @throws CausewayError key-exposed, data-damaged */
export async function readKeptCa(dataDir: string): Promise<KeptCa | undefined> {
  const path = keptCaPath(dataDir);
  const content = await readSecretFile(path);
  if (content === undefined) return undefined;
  try {
    const json = object(JSON.parse(content) as Json);
    const clusterId = unwrap(parseClusterId(text(json, 'clusterId')));
    return { clusterId, ca: records.ca.codec.fromJson(object(json['ca'])) };
  } catch (cause) {
    if (!isCausewayError(cause) && !(cause instanceof TypeError) && !(cause instanceof SyntaxError)) throw cause;
    // The cause is dropped: errors of JSON.parse quote the text, which contains the sealed CA key.
    throw new CausewayError('data-damaged', `${path} is damaged: a manager that runs writes it again`, { path });
  }
}

/** Writes the CA to the disk, now and when it changes. A failure is tried again at the next change. Returns a function that ends this. */
export function keepCa({ view, log }: { readonly view: View; readonly log: Log }, dataDir: string): () => void {
  let written = '';
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const { ca, cluster } = view;
    if (ca === undefined || cluster === undefined) return;
    const content = `${JSON.stringify({ clusterId: cluster.id, ca: records.ca.codec.toJson(ca.value) })}\n`;
    if (content === written) return;
    await writeSecretFile(keptCaPath(dataDir), content);
    written = content;
  };
  const settle = (): void => {
    writing = writing.then(write).catch((error: unknown) => log.error('ca.not-kept', { error }));
  };
  settle();
  return view.subscribe((changes) => {
    if (changes.some(({ kind }) => kind === 'ca' || kind === 'reset')) settle();
  });
}

function keptCaPath(dataDir: string): string {
  return join(dataDir, 'ca.json');
}
