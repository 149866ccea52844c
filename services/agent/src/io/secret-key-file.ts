import { readdir, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readSecretFile, writeSecretFile } from '@causeway/identity/io';
import type { NodeId } from '@causeway/model';
import type { KeyFile } from '../encryption/key-file.ts';

/** Where an agent that serves this socket keeps keys: beside it, below /run, which no disk holds and no reboot survives. */
export function keyDirectory(socket: string): string {
  return join(dirname(socket), 'keys');
}

/** File systems that are in memory: the magic numbers of tmpfs and ramfs (linux/magic.h). */
const inMemory: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** Why keys in a directory of such a file system outlive a reboot, in words; undefined: they do not. */
export function whyLasting(directory: string, fileSystem: number): string | undefined {
  if (inMemory.has(fileSystem)) return undefined;
  return `${directory} is not on a tmpfs`;
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

  async whyLasting(): Promise<string | undefined> {
    const directory = dirname(this.path);
    return whyLasting(directory, (await statfs(directory)).type);
  }

  async write(text: string): Promise<void> {
    await writeSecretFile(this.path, text);
  }
}
