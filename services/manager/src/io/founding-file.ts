import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSecretFile, writeSecretFile } from '@causeway/identity/io';
import { CausewayError, isCausewayError, parseClusterId, unwrap } from '@causeway/model';
import type { Founding } from '../cluster/bootstrap.ts';
import { type Json, list, object, text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';

/** What the first start writes to the empty store. Made by `causeway-manager init`, removed when the cluster exists. */
export async function readFounding(dataDir: string): Promise<Founding | undefined> {
  const path = foundingPath(dataDir);
  const content = await readSecretFile(path);
  return content === undefined ? undefined : parse(content, path);
}

/** Durable when it resolves. */
export async function writeFounding(dataDir: string, { clusterId, ca, certificates }: Founding): Promise<void> {
  const content = {
    clusterId,
    ca: records.ca.codec.toJson(ca),
    certificates: certificates.map((certificate) => records.certificate.codec.toJson(certificate)),
  };
  await writeSecretFile(foundingPath(dataDir), `${JSON.stringify(content)}\n`);
}

export async function removeFounding(dataDir: string): Promise<void> {
  await rm(foundingPath(dataDir), { force: true });
}

function foundingPath(dataDir: string): string {
  return join(dataDir, 'founding.json');
}

function parse(content: string, path: string): Founding {
  try {
    const json = object(JSON.parse(content) as Json);
    return {
      clusterId: unwrap(parseClusterId(text(json, 'clusterId'))),
      ca: records.ca.codec.fromJson(object(json['ca'])),
      certificates: list(json, 'certificates').map((each) => records.certificate.codec.fromJson(object(each))),
    };
  } catch (cause) {
    if (!isCausewayError(cause) && !(cause instanceof TypeError) && !(cause instanceof SyntaxError)) throw cause;
    // The cause is dropped: errors of JSON.parse quote the text, which contains the sealed CA key.
    const message = `${path} is damaged: no cluster exists yet, so empty the directory and run "causeway-manager init" again`;
    throw new CausewayError('data-damaged', message, { path });
  }
}
