/** What a command said. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the story is told: hosts on which commands run. */
export interface Stage {
  /** In a few words, for people. */
  readonly title: string;
  readonly hosts: readonly string[];
  /** Resolves when every host is ready; `say` hears of the steps. */
  up(say: (line: string) => void): Promise<void>;
  exec(host: string, command: string): Promise<Answer>;
  /** What to type to look around, once the story is told. */
  readonly hints: readonly string[];
  /** Leaves nothing. */
  down(): Promise<void>;
}
