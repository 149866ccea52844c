import { access, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { etcdDirectory } from './flags.ts';

/** What a start finds in the directory: data of a cluster's member, or nothing. */
type FoundData =
  | { readonly kind: 'member' }
  /** `unfinished`: a first start was interrupted, and its data was moved to etcd.unfinished. */
  | { readonly kind: 'nothing'; readonly unfinished: boolean };

/**
 * The first start of etcd on a directory, made safe against a kill in the middle. etcd writes its log before it has
 * recorded its members there. When it is killed in between, it starts again as a cluster without members, and waits for a
 * leader for ever. So a mark file says that the first start is under way. The mark is removed durably before any client
 * may write: while the mark exists, the data holds nothing.
 */
export class FirstStart {
  readonly #dataDir: string;
  readonly #mark: string;
  readonly #initMark: string;
  readonly #membersPath: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#mark = join(dataDir, 'etcd.bootstrapping');
    this.#initMark = initMarkOf(dataDir);
    this.#membersPath = join(dataDir, 'etcd.members');
  }

  /** Call before etcd is started. */
  async find(): Promise<FoundData> {
    const data = join(etcdDirectory(this.#dataDir), 'member');
    const begun = await exists(this.#mark);
    if (!(await exists(data))) return { kind: 'nothing', unfinished: false };
    if (!begun) return { kind: 'member' };
    const aside = join(this.#dataDir, 'etcd.unfinished');
    await rm(aside, { recursive: true, force: true });
    await rename(data, aside);
    return { kind: 'nothing', unfinished: true };
  }

  /** Call just before the first start. */
  async begin(): Promise<void> {
    await writeFile(this.#mark, '');
  }

  /** Whether a cluster may be founded on this directory. */
  mayFound(): Promise<boolean> {
    return exists(this.#initMark);
  }

  /**
   * Call when etcd has answered as a healthy member. Removes the permission to found a cluster, so that it does not count
   * for another first start.
   */
  async complete(): Promise<void> {
    await rm(this.#initMark, { force: true });
    await rm(this.#mark, { force: true });
    // After a crash the mark must not reappear beside data that is in use by then.
    const directory = await open(this.#dataDir, 'r');
    await directory.sync().finally(() => directory.close());
  }

  /**
   * Keeps the client URLs of the cluster's members: a restarted learner asks these members for its vote, since it may not
   * ask itself.
   */
  async rememberMembers(urls: readonly string[]): Promise<void> {
    await writeFile(this.#membersPath, urls.map((url) => `${url}\n`).join(''));
  }

  async knownMembers(): Promise<readonly string[]> {
    const text = await readFile(this.#membersPath, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}

/** Permits a cluster to be founded on the directory. `causeway-manager init` does this last. */
export async function allowFounding(dataDir: string): Promise<void> {
  await writeFile(initMarkOf(dataDir), '');
}

function initMarkOf(dataDir: string): string {
  return join(dataDir, 'etcd.init');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
