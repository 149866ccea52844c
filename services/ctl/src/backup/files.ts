/** Files of this machine, and the programs beside this one. */
export interface BackupFiles {
  /**
   * Writes a new file, whole or not at all; resolves to its size in bytes.
   * @throws CausewayError invalid-argument when the file exists already or cannot be made; disk-full
   */
  write(path: string, parts: AsyncIterable<Uint8Array>): Promise<number>;
  /**
   * Runs `causeway-manager restore` with these words. Its output goes to this program's output; resolves to its exit
   * status.
   * @throws CausewayError capability-missing when this host has no causeway-manager
   */
  restore(words: readonly string[]): Promise<number>;
}
