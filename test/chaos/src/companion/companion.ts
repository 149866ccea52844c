import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Lab } from '@causeway/lab/io';

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A program of ours in a host of the lab, from which the cluster can be reached. It answers questions (`serveLines`). */
export class Companion {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #questions = 0;
  #ended: Error | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.#child = child;
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.#hear(JSON.parse(line)));
    child.on('close', (code, signal) => this.#end(new Error(`the ${name} ended (${signal ?? code})`)));
  }

  /** `program`: path below this package's folder of built code. */
  static async start(lab: Lab, host: string, program: string, args: readonly string[]): Promise<Companion> {
    const script = fileURLToPath(new URL(`../${program}`, import.meta.url));
    const { command, args: all, env } = await lab.commandIn(host, [process.execPath, script, ...args]);
    return new Companion(program, spawn(command, all, { env: { ...env }, stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  ask<Value>(ask: string, argument: unknown = null): Promise<Value> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#questions++;
    return new Promise<Value>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as Value), reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, ask, argument })}\n`);
    });
  }

  /** Closes the program's stdin, which ends the program. */
  stop(): void {
    this.#child.stdin?.end();
  }

  #hear({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
