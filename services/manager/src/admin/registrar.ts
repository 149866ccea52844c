import type { Node } from '@causeway/model';
import type { View } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import type { MtuKeeper } from './mtu-keeper.ts';
import { registerNode } from './register-node.ts';

export interface NodeRegistrarParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply'>;
  readonly mtuKeeper: Pick<MtuKeeper, 'settle'>;
}

/** Takes hosts in. A host is told so only when no network asks more of its underlay than that carries. */
export class NodeRegistrar {
  readonly #parts: NodeRegistrarParts;

  constructor(parts: NodeRegistrarParts) {
    this.#parts = parts;
  }

  /** Returns the revision at which that holds. @throws CausewayError as `registerNode` and `Writer.apply` */
  async register(node: Node): Promise<bigint> {
    const { view, writer, mtuKeeper } = this.#parts;
    await writer.apply(registerNode(node), { actor: `agent/${node.name}`, cause: 'session' });
    await mtuKeeper.settle();
    return view.revision;
  }
}
