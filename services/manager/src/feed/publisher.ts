import { assertNever, type FeedVersion, feedVersions, type NetworkId, type NodeId } from '@causeway/model';
import type { ViewChange } from '../store/view.ts';
import { FeedTable } from './feed-table.ts';
import { HistoryBudget } from './history.ts';
import type { ViewSlice } from './rows.ts';
import { planStep, type Tables, touchedBy } from './steps.ts';
import type { SubscriptionEvent } from './subscriptions.ts';

/** What a change of the view means for the hosts of one network. Hosts that are not named have nothing to do. */
export type Publication =
  /** The network must be sent whole to all its hosts. */
  | { readonly kind: 'begun'; readonly table: FeedTable; readonly left: readonly NodeId[] }
  | {
      readonly kind: 'moved';
      readonly table: FeedTable;
      readonly from: bigint;
      readonly to: bigint;
      readonly joined: readonly NodeId[];
      readonly left: readonly NodeId[];
    }
  | { readonly kind: 'vanished'; readonly network: NetworkId; readonly left: readonly NodeId[] };

/** Which hosts the network is for now, as an event for each host's session. Only hosts that this concerns get an event. */
export function* memberships(publication: Publication): Generator<readonly [NodeId, SubscriptionEvent], void> {
  const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
  for (const node of publication.left) yield [node, { kind: 'unsubscribed', network }];
  if (publication.kind === 'vanished') return;
  const joined = publication.kind === 'begun' ? publication.table.hosts.keys() : publication.joined;
  for (const node of joined) yield [node, { kind: 'subscribed', network }];
}

/** Updates the table of every network when the view changes. */
export class Publisher {
  readonly #view: ViewSlice;
  readonly #feeds: readonly FeedVersion[];
  readonly #tables = new Map<NetworkId, FeedTable>();
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
          const begun = new FeedTable(step.network, step.revision, step.rows, this.#feeds, this.#history);
          table?.close();
          this.#tables.set(network, begun);
          const left = [...(table?.hosts.keys() ?? [])].filter((node) => !begun.hosts.has(node));
          publications.push({ kind: 'begun', table: begun, left });
          break;
        }
        case 'move': {
          if (table === undefined) break;
          const { joined, left } = table.move(step);
          const { from, to } = step;
          publications.push({ kind: 'moved', table, from, to, joined, left });
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
