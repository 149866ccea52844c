import { access, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { etcdDirectory } from './flags.ts';

/**
 * The first start of etcd on a directory, made safe against being killed in the middle of it. etcd writes its log before it has noted
 * its one member there; killed in between it starts again as a cluster without members, and waits for a leader for ever.
 * So a file says that the first start is under way. It goes, durably, before anybody may write: as long as it is there the data hold nothing.
 */
export class Bootstrap {
  readonly #dataDir: string;
  readonly #mark: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#mark = join(dataDir, 'etcd.bootstrapping');
  }

  /** Before etcd is started. True when an unfinished first start was put aside, as etcd.unfinished. */
  async begin(): Promise<boolean> {
    const data = join(etcdDirectory(this.#dataDir), 'member');
    const unfinished = (await exists(this.#mark)) && (await exists(data));
    if (unfinished) {
      const aside = join(this.#dataDir, 'etcd.unfinished');
      await rm(aside, { recursive: true, force: true });
      await rename(data, aside);
    }
    if (!(await exists(data))) await writeFile(this.#mark, '');
    return unfinished;
  }

  /** When etcd has answered as a healthy member. */
  async complete(): Promise<void> {
    await rm(this.#mark, { force: true });
    // A crash must not bring the mark back over data that hold something by then.
    const directory = await open(this.#dataDir, 'r');
    await directory.sync().finally(() => directory.close());
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
