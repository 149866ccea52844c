/**
 * The seam to the file of this host's private keys for encrypted networks. It is in memory that a reboot empties, and only root
 * may read it.
 */
export interface KeyFile {
  /** For messages to people. */
  readonly path: string;
  /**
   * undefined: there is no such file.
   * @throws CausewayError key-exposed: others than root may have read or changed it
   */
  read(): Promise<string | undefined>;
  /** Why the file outlives a reboot, in words, once it is written. undefined: it is in memory only, as it should be. */
  whyLasting(): Promise<string | undefined>;
  /** Writes the whole file or nothing. What was there before is gone when this resolves. */
  write(text: string): Promise<void>;
}
