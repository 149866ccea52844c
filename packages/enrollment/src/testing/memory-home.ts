import type { Attempt, Home, Membership, NewMembership } from '../home.ts';

/** Keeps a membership in memory. */
export class MemoryHome implements Home {
  kept: NewMembership | undefined;
  begun: Attempt | undefined;

  async read(): Promise<Membership | undefined> {
    return this.kept;
  }

  async attempt(): Promise<Attempt | undefined> {
    return this.begun;
  }

  async keepAttempt(attempt: Attempt): Promise<void> {
    this.begun = attempt;
  }

  async keep(membership: NewMembership): Promise<void> {
    this.kept = membership;
    this.begun = undefined;
  }
}
