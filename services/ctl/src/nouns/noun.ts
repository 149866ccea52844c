import type { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import type { Managers } from '../clients.ts';
import type { Candidate } from '../completion/candidates.ts';
import type { Listed, Wanted } from '../listing.ts';
import type { Shown } from '../render/watch.ts';
import type { Change, Changes } from '../watching.ts';

/** A kind of object that managers list, watch and show: what its commands say, ask and print. */
export interface Noun<Item, Want extends Wanted = Wanted> {
  /** As the argument of "show" is called; completion knows names of objects by it. */
  readonly name: string;
  readonly list: {
    readonly summary: string;
    readonly arguments?: readonly Argument[];
    /** Beside those that every list has. */
    readonly options?: readonly Option[];
    /** What --field takes. */
    readonly fields: readonly string[];
    /** What --sort-by proposes. */
    readonly sortable: readonly string[];
    readonly examples: readonly string[];
  };
  readonly show: {
    readonly summary: string;
    /** What the argument may be: "name or id". */
    readonly argument: string;
    readonly examples: readonly string[];
  };
  all(managers: Managers, wanted: Want): Promise<Listed<Item>>;
  watch(managers: Managers, wanted: Want, changes: Changes): AsyncIterable<Change<Item>>;
  get(managers: Managers, name: string): Promise<Item | undefined>;
  /** How a change is printed. */
  readonly shown: Shown<Item>;
  table(items: readonly Item[], now: number): Answer;
  sheet(item: Item, now: number): Answer;
  /** What completion proposes: each object as it must be typed. */
  candidates(items: readonly Item[]): readonly Candidate[];
}
