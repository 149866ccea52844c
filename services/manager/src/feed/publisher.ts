import { assertNever, type FeedVersion, feedVersions, type NetworkId, type NodeId } from '@causeway/model';
import type { ViewChange } from '../store/view.ts';
import type { DeltaBytes } from './delta-bytes.ts';
import { HistoryBudget } from './history.ts';
import { planStep, type Tables, touchedBy, type ViewSlice } from './steps.ts';
import { NetworkTable } from './table.ts';

/** What a change of the view means for the hosts of one network; hosts that are not named have nothing to do. */
export type Publication =
  /** The network is to be sent whole to all its hosts. */
  | { readonly kind: 'begun'; readonly table: NetworkTable; readonly left: readonly NodeId[] }
  | {
      readonly kind: 'moved';
      readonly table: NetworkTable;
      readonly from: bigint;
      readonly to: bigint;
      readonly delta: DeltaBytes;
      readonly joined: ReadonlySet<NodeId>;
      readonly left: readonly NodeId[];
    }
  | { readonly kind: 'vanished'; readonly network: NetworkId; readonly left: readonly NodeId[] };

/** Keeps the table of every network in step with the view. */
export class Publisher {
  readonly #view: ViewSlice;
  readonly #feeds: readonly FeedVersion[];
  readonly #tables = new Map<NetworkId, NetworkTable>();
  readonly #history: HistoryBudget;

  constructor(
    view: ViewSlice,
    feeds: readonly FeedVersion[] = feedVersions,
    history: HistoryBudget = new HistoryBudget(),
  ) {
    this.#history = history;
    this.#view = view;
    this.#feeds = feeds;
  }

  get tables(): Tables {
    return this.#tables;
  }

  update(changes: readonly ViewChange[]): readonly Publication[] {
    const publications: Publication[] = [];
    for (const [network, touched] of touchedBy(changes, this.#view, this.#tables)) {
      const table = this.#tables.get(network);
      const step = planStep(network, touched, this.#view, table);
      if (step === undefined) continue;
      switch (step.kind) {
        case 'begin': {
          const begun = new NetworkTable(step.network, step.revision, step.rows, this.#feeds, this.#history);
          table?.close();
          this.#tables.set(network, begun);
          const left = [...(table?.hosts.keys() ?? [])].filter((node) => !begun.hosts.has(node));
          publications.push({ kind: 'begun', table: begun, left });
          break;
        }
        case 'move': {
          if (table === undefined) break;
          const { delta, joined, left } = table.move(step);
          const { from, to } = step;
          publications.push({ kind: 'moved', table, from, to, delta, joined: new Set(joined), left });
          break;
        }
        case 'vanish':
          this.#tables.delete(network);
          table?.close();
          publications.push({ kind: 'vanished', network, left: [...(table?.hosts.keys() ?? [])] });
          break;
        default:
          assertNever(step);
      }
    }
    return publications;
  }
}
