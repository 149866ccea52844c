import type { NodeId, NodeKeys } from '@causeway/model';
import type { Writer } from '../commit/writer.ts';
import { publishKeys, reserveKeyIndex } from '../plan/node-keys.ts';

/** Writes the keys of hosts for encrypted networks, as their agents send them. */
export class NodeKeyWriter {
  readonly #writer: Pick<Writer, 'apply'>;

  constructor(parts: { readonly writer: Pick<Writer, 'apply'> }) {
    this.#writer = parts.writer;
  }

  reserveIndex(node: NodeId): Promise<NodeKeys> {
    return this.#apply(reserveKeyIndex(node), node);
  }

  publish(keys: NodeKeys): Promise<NodeKeys> {
    return this.#apply(publishKeys(keys), keys.node);
  }

  async #apply(intent: ReturnType<typeof publishKeys>, node: NodeId): Promise<NodeKeys> {
    return (await this.#writer.apply(intent, { actor: `agent/${node}`, cause: 'session' })).reply;
  }
}
