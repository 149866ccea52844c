import type { Node } from '@causeway/model';
import type { Writer } from '../commit/writer.ts';
import type { Term } from '../election/term.ts';
import { networksTooLarge } from '../plan/mtu.ts';
import { registerNode } from '../plan/register-node.ts';
import { untilView } from '../store/until-view.ts';
import type { View } from '../store/view.ts';

interface NodeRegistrarParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply'>;
  /** The present term: its MTU controller lowers the MTUs. */
  readonly term: () => Term | undefined;
}

/** Registers hosts. The call returns when no network has a larger MTU than the host's underlay carries. */
export class NodeRegistrar {
  readonly #parts: NodeRegistrarParts;

  constructor(parts: NodeRegistrarParts) {
    this.#parts = parts;
  }

  /**
   * Returns the revision at which no MTU is too large, or at which the term ended.
   * @throws CausewayError as `registerNode` and `Writer.apply`
   */
  async register(node: Node): Promise<bigint> {
    const { view, writer } = this.#parts;
    const term = this.#parts.term();
    await writer.apply(registerNode(node), { actor: `agent/${node.name}`, cause: 'session' });
    if (term === undefined) return view.revision;
    // Each call has a signal of its own: many hosts may wait, and Node takes more than ten listeners at one signal for a leak.
    await untilView(view, () => networksTooLarge(view).length === 0, AbortSignal.any([term.signal]));
    return view.revision;
  }
}
