/** The result of a command. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place where the story is told: hosts on which commands run. */
export interface Stage {
  /** A short title for people. */
  readonly title: string;
  readonly hosts: readonly string[];
  /** Resolves when every host is ready; calls `say` for each step. */
  up(say: (line: string) => void): Promise<void>;
  exec(host: string, command: string): Promise<Answer>;
  /** Commands that people can try after the story. */
  readonly hints: readonly string[];
  /** Removes everything. */
  down(): Promise<void>;
}
