import type { KeyFile } from '../encryption/key-file.ts';

/** A key file in memory, which outlives the agent that uses it. Tests can cause the failures of a real one. */
export class MemoryKeyFile implements KeyFile {
  readonly path = '/run/causeway/keys/h1.json';
  text: string | undefined;
  /** Every text that was written: a test looks for the keys in it. */
  readonly written: string[] = [];
  /** The error of the next reads and writes. */
  failure: Error | undefined;
  lasting: string | undefined;

  /** A part of the text is lost. */
  damage(): void {
    this.text = this.text?.slice(0, 20);
  }

  fail(failure: Error): void {
    this.failure = failure;
  }

  async read(): Promise<string | undefined> {
    if (this.failure !== undefined) throw this.failure;
    return this.text;
  }

  async whyLasting(): Promise<string | undefined> {
    return this.lasting;
  }

  async write(text: string): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.text = text;
    this.written.push(text);
  }
}
