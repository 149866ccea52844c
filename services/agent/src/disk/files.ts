/**
 * The seam to the data directory: small files by name.
 * Names are letters, digits, "-" and ".". Failures are CausewayErrors: "disk-full", "permission-denied", or of
 * `open` "invalid-argument" when the directory cannot be used at all.
 */
export interface Files {
  /** For messages to people. */
  readonly directory: string;
  /** Makes the directory where it is missing and proves that it can be written. */
  open(): Promise<void>;
  list(): Promise<readonly string[]>;
  /** undefined: there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** The whole file, all or nothing; on disk when it resolves. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * In place, from the file's beginning; makes the file where it is missing. What was longer keeps its end, and a write that
   * fails leaves a mixture, so it is for copies of which there is another. It survives this process when it resolves, and
   * the machine once it is flushed.
   */
  overwrite(name: string, bytes: Uint8Array): Promise<void>;
  /** Puts what was overwritten on disk. */
  flush(name: string): Promise<void>;
  /** Removing what is absent succeeds. */
  remove(name: string): Promise<void>;
}
