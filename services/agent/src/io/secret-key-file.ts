import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readSecretFile, writeSecretFile } from '@causeway/identity/io';
import type { NodeId } from '@causeway/model';
import type { KeyFile } from '../encryption/key-file.ts';

/** Where an agent that serves this socket keeps keys: beside it, below /run, which no disk holds and no reboot survives. */
export function keyDirectory(socket: string): string {
  return join(dirname(socket), 'keys');
}

/** The private keys of one identity of this host. A host that joins again has another identity, and other keys. */
export class SecretKeyFile implements KeyFile {
  readonly path: string;

  constructor(directory: string, node: NodeId) {
    this.path = join(directory, `${node}.json`);
  }

  /** Also removes what a write has left that did not end. */
  async read(): Promise<string | undefined> {
    const directory = dirname(this.path);
    const files = await readdir(directory).catch(() => []);
    for (const name of files) {
      const isLeft = name.startsWith(basename(this.path)) && name.endsWith('.tmp');
      if (isLeft) await rm(join(directory, name), { force: true });
    }
    return await readSecretFile(this.path);
  }

  async write(text: string): Promise<void> {
    await writeSecretFile(this.path, text);
  }
}
