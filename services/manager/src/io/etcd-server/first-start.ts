import { access, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { etcdDirectory } from './flags.ts';

/** What a start finds: data of a member of a cluster, or none. */
type FoundData =
  | { readonly kind: 'member' }
  /** `unfinished`: a first start that was cut off is put aside, as etcd.unfinished. */
  | { readonly kind: 'nothing'; readonly unfinished: boolean };

/**
 * The first start of etcd on a directory, made safe against being killed in the middle of it. etcd writes its log before it has noted
 * its members there; killed in between it starts again as a cluster without members, and waits for a leader for ever.
 * So a file says that the first start is under way. It goes, durably, before anybody may write: as long as it is there the data hold nothing.
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

  /** Before etcd is started. */
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

  /** The first start is about to happen. */
  async begin(): Promise<void> {
    await writeFile(this.#mark, '');
  }

  /** Whether a cluster may begin here. */
  mayFound(): Promise<boolean> {
    return exists(this.#initMark);
  }

  /** When etcd has answered as a healthy member. What was said for the first start does not count for another one. */
  async complete(): Promise<void> {
    await rm(this.#initMark, { force: true });
    await rm(this.#mark, { force: true });
    // A crash must not bring the mark back over data that hold something by then.
    const directory = await open(this.#dataDir, 'r');
    await directory.sync().finally(() => directory.close());
  }

  /** Client URLs of the cluster's members: a learner that was restarted asks them for its vote, since it may not ask itself. */
  async rememberMembers(urls: readonly string[]): Promise<void> {
    await writeFile(this.#membersPath, urls.map((url) => `${url}\n`).join(''));
  }

  async knownMembers(): Promise<readonly string[]> {
    const text = await readFile(this.#membersPath, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}

/** By this file `causeway-manager init` says that a cluster may begin here. */
export function initMarkOf(dataDir: string): string {
  return join(dataDir, 'etcd.init');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
