/**
 * The seam to the data directory: small whole files by name, each write all or nothing and on disk when it resolves.
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
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removing what is absent succeeds. */
  remove(name: string): Promise<void>;
}
