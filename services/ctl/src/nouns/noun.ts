import type { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import type { Managers } from '../clients.ts';
import type { Candidate } from '../completion/candidates.ts';
import type { Listed, ListQuery } from '../listing.ts';
import type { Shown } from '../render/watch.ts';
import type { Change, Changes } from '../watching.ts';

/** A kind of object that managers list, watch and show: the texts, requests and output of its commands. */
export interface Noun<Item, Query extends ListQuery = ListQuery> {
  /** Name of the argument of "show". Completion looks up names of objects by it. */
  readonly name: string;
  readonly list: {
    readonly summary: string;
    readonly arguments?: readonly Argument[];
    /** Options in addition to those of every list. */
    readonly options?: readonly Option[];
    /** Fields that --field accepts. */
    readonly fields: readonly string[];
    /** Fields that completion offers for --sort-by. */
    readonly sortable: readonly string[];
    readonly examples: readonly string[];
  };
  readonly show: {
    readonly summary: string;
    /** Help of the argument: "name or id". */
    readonly argument: string;
    readonly examples: readonly string[];
  };
  all(managers: Managers, query: Query): Promise<Listed<Item>>;
  watch(managers: Managers, query: Query, changes: Changes): AsyncIterable<Change<Item>>;
  get(managers: Managers, name: string): Promise<Item | undefined>;
  /** How a change is printed. */
  readonly shown: Shown<Item>;
  table(items: readonly Item[], now: number): Answer;
  sheet(item: Item, now: number): Answer;
  /** Candidates for completion: each object as it must be typed. */
  candidates(items: readonly Item[]): readonly Candidate[];
}
