import { type NodeId, parseNodeId, unwrap } from '@causeway/model';
import { type Json, list, number, object, recordCodec, text } from './codec.ts';
import { type RecordKind, type Versioned, versioned } from './kind.ts';
import { SingleIndex } from './map-index.ts';

/** All hosts change to new keys. The record is there until all have. */
export interface KeyRotation {
  /** All hosts at once; otherwise a few at a time. */
  readonly atOnce: boolean;
  /** The newest generation of each host's key when the rotation began. Each is to be followed by another. */
  readonly former: ReadonlyMap<NodeId, number>;
}

export const keyRotation = {
  kind: 'key-rotation',
  path: [],
  codec: recordCodec<KeyRotation>(
    ({ atOnce, former }, original) => ({
      ...original,
      atOnce,
      former: [...former].map(([node, generation]) => ({ node, generation })),
    }),
    (json) => ({ atOnce: json['atOnce'] === true, former: new Map(list(json, 'former').map(hostFromJson)) }),
  ),
  keep: versioned<KeyRotation>,
  index: () => new SingleIndex<Versioned<KeyRotation>>(),
  listeners: 'record',
} as const satisfies RecordKind;

function hostFromJson(item: Json): [NodeId, number] {
  const json = object(item);
  return [unwrap(parseNodeId(text(json, 'node'))), number(json, 'generation')];
}
