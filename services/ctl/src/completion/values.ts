import type { Argument, Option } from 'commander';
import type { Clients } from '../clients.ts';
import type { Candidate } from './candidates.ts';

/** What is known of a line when its value is asked for. */
export interface Asked {
  /** The arguments before it. */
  readonly operands: readonly string[];
  /** Options of the line that have been given a value, by their long name. */
  readonly options: Readonly<Record<string, string>>;
  readonly clients: Pick<Clients, 'managers'>;
}

/** Finds what a value may be. */
export type Source = (asked: Asked) => Promise<readonly Candidate[]>;

const sources = new WeakMap<Argument | Option, Source>();

/** The same option or argument, whose values can be completed. */
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
