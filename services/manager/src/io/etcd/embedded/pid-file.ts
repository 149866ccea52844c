import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirFlag } from './flags.ts';

export interface RunningEtcd {
  readonly pid: number;
  readonly flags: readonly string[];
}

/** Tells the next manager on a data directory of the etcd that the last one left running there. */
export class PidFile {
  readonly path: string;
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.path = join(dataDir, 'etcd.pid');
  }

  /** At once, with nothing awaited between the start of the process and this. */
  write(pid: number): void {
    writeFileSync(this.path, `${pid}\n`);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  /** The etcd that runs on this directory now. A number alone proves nothing, it may be another process by now; its command line does. */
  running(): RunningEtcd | undefined {
    const pid = Number.parseInt(readText(this.path) ?? '', 10);
    if (!(pid > 0)) return undefined;
    const flags = commandLine(pid)?.slice(1);
    return flags?.includes(dataDirFlag(this.#dataDir)) === true ? { pid, flags } : undefined;
  }
}

/** Words of a live process; none for one that has ended and was not reaped, undefined when there is none (proc(5)). */
function commandLine(pid: number): readonly string[] | undefined {
  return readText(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
