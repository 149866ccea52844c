import type { Receipt } from '@causeway/encryption';
import type { NodeId } from '@causeway/model';
import { receiptsMessage } from './news.ts';
import type { Send } from './own-record.ts';

/** A message has at most so many receipts. */
const mostAtOnce = 1_024;

/** The receipts that this host has sent to its peers in the present session. The manager keeps the last one to each peer. */
export class ToldReceipts {
  readonly #told = new Map<NodeId, string>();

  /** A session has begun: its manager has no receipts of this host. */
  begin(): void {
    this.#told.clear();
  }

  /** Sends what has changed. */
  tell(receipts: ReadonlyMap<NodeId, Receipt>, send: Send): void {
    const news = [...receipts].filter(([node, receipt]) => this.#told.get(node) !== JSON.stringify(receipt));
    for (const node of this.#told.keys()) if (!receipts.has(node)) this.#told.delete(node);
    for (const [node, receipt] of news) this.#told.set(node, JSON.stringify(receipt));
    for (let from = 0; from < news.length; from += mostAtOnce)
      send(receiptsMessage(news.slice(from, from + mostAtOnce)));
  }
}
