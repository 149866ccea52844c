import type { Credential } from '@causeway/identity';
import { CausewayError } from '@causeway/model';
import type { Attempt, Home, Membership, NewMembership } from '../home.ts';

/** Keeps a membership in memory. */
export class MemoryHome implements Home {
  kept: NewMembership | undefined;
  begun: Attempt | undefined;
  managers: readonly string[] | undefined;

  async read(): Promise<Membership | undefined> {
    const { kept, managers } = this;
    return kept && { ...kept, ...(managers && { managers }) };
  }

  async credential(): Promise<Credential> {
    if (this.kept !== undefined) return this.kept.credential;
    throw new CausewayError('identity-missing', 'there is no credential');
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
    this.managers = undefined;
  }

  async keepManagers(managers: readonly string[]): Promise<void> {
    this.managers = managers;
  }

  async clear(): Promise<void> {
    this.kept = undefined;
    this.begun = undefined;
    this.managers = undefined;
  }
}
