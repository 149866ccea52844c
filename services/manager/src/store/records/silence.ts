import { type NodeId, parseNodeId } from '@causeway/model';
import { type Decoded, number, recordCodec } from './codec.ts';
import { keyPart, type RecordKind } from './kind.ts';
import { MapIndex, SingleIndex } from './map-index.ts';

/** A host that has endpoints but no session. */
export interface Silence {
  /** When the host fell silent, ms on the clock that runs only while a manager leads (`LedTime`). */
  readonly since: number;
}

/** How long managers have led so far. This clock measures silence: while no manager leads, no host has a session. */
export interface LedTime {
  readonly milliseconds: number;
}

export const nodeSilent = {
  kind: 'node-silent',
  path: [keyPart('id', parseNodeId)],
  codec: recordCodec<Silence>(
    ({ since }, original) => ({ ...original, since }),
    (json) => ({ since: number(json, 'since') }),
  ),
  keep: ({ value }: Decoded<Silence>) => value,
  index: () => new MapIndex<'id', NodeId, Silence>('id'),
} as const satisfies RecordKind;

export const ledTime = {
  kind: 'led-time',
  path: [],
  codec: recordCodec<LedTime>(
    ({ milliseconds }, original) => ({ ...original, milliseconds }),
    (json) => ({ milliseconds: number(json, 'milliseconds') }),
  ),
  keep: ({ value }: Decoded<LedTime>) => value,
  index: () => new SingleIndex<LedTime>(),
} as const satisfies RecordKind;
