import type { Argument, Option } from 'commander';
import type { Clients } from '../clients.ts';
import type { Candidate } from './candidates.ts';

/** What is known about a line when one of its values is completed. */
export interface Asked {
  /** The arguments before the value. */
  readonly operands: readonly string[];
  /** Options of the line that have been given a value, by their long name. */
  readonly options: Readonly<Record<string, string>>;
  readonly clients: Pick<Clients, 'managers'>;
}

/** Finds the possible values. */
export type Source = (asked: Asked) => Promise<readonly Candidate[]>;

const sources = new WeakMap<Argument | Option, Source>();

/** Returns the same option or argument, with a source for the completion of its values. */
export function completed<Of extends Argument | Option>(of: Of, source: Source): Of {
  sources.set(of, source);
  return of;
}

export function sourceOf(of: Argument | Option): Source | undefined {
  return sources.get(of);
}

export function fixed(words: readonly string[]): Source {
  return async () => candidates(words);
}

export function candidates(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word, help: '' }));
}
