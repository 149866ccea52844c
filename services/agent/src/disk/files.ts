/**
 * The seam to the data directory: small files by name.
 * Names consist of letters, digits, "-" and ".". Failures are CausewayErrors: "disk-full", "permission-denied", and from
 * `open` also "invalid-argument" when the directory cannot be used at all.
 */
export interface Files {
  /** Path of the directory, for messages to people. */
  readonly directory: string;
  /** Makes the directory if it is missing, and proves that files can be written in it. */
  open(): Promise<void>;
  list(): Promise<readonly string[]>;
  /** undefined: the file does not exist. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Writes the whole file or nothing. The file is on disk when this resolves. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes in place from the beginning of the file; makes the file if it is missing. The end of a longer file stays, and
   * a failed write leaves a mixture, so this is for files that have a second copy. When this resolves, the bytes survive
   * the end of this process. They survive the end of the machine once they are flushed.
   */
  overwrite(name: string, bytes: Uint8Array): Promise<void>;
  /** Puts overwritten bytes on disk. To be called after each overwrite: the file stays open until then. */
  flush(name: string): Promise<void>;
  /** Succeeds also when the file does not exist. */
  remove(name: string): Promise<void>;
}
