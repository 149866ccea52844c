import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lock, LockOutcome } from '../lock.ts';

/** Exit status of flock(1) when another process holds the lock. */
const heldByAnother = 1;
const note = 'holder.pid';

/**
 * Locks a directory, wherever it is mounted. Node has no flock(2), so flock(1) takes the lock on a file that this process
 * has opened: the lock belongs to the open file (flock(2)) and stays when flock(1) has ended. The lock is on the
 * directory itself and not on a file in it, so it also works on a full or read-only disk.
 */
export class DirectoryLock implements Lock {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws the error of open(2), and an error when flock(1) cannot be run. */
  async take(): Promise<LockOutcome> {
    const fd = openSync(this.#directory, 'r');
    try {
      if (await lockFile(fd)) {
        this.#leaveNote();
        return { kind: 'held', release: () => this.#release(fd) };
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return { kind: 'taken', pid: this.#readNote() };
  }

  #release(fd: number): void {
    rmSync(join(this.#directory, note), { force: true });
    closeSync(fd);
  }

  /** The note is for the error message of a second process; the lock does not depend on it. */
  #leaveNote(): void {
    try {
      writeFileSync(join(this.#directory, note), `${process.pid}\n`, { mode: 0o600 });
    } catch {
      // The disk is full or read-only.
    }
  }

  #readNote(): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.#directory, note), 'utf8'));
      return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}

/** false: another process holds the lock. */
function lockFile(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // The child's descriptor 3 is the open file of this process. busybox has these short options too.
    const child = spawn('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', (cause) =>
      reject(new Error(`flock cannot be run (${cause.message}): install the package util-linux`, { cause })),
    );
    child.once('exit', (code, signal) => {
      if (code === 0 || code === heldByAnother) resolve(code === 0);
      else reject(new Error(`flock ended with ${signal ?? `exit status ${code}`}`));
    });
  });
}
