import { type NodeId, parseNodeId } from '@causeway/model';
import { type Decoded, number, recordCodec } from './codec.ts';
import { keyPart, type RecordKind } from './kind.ts';
import { MapIndex, SingleIndex } from './map-index.ts';

/** A host with endpoints that managers have no session with. */
export interface Silence {
  /** When it fell silent, on the clock that runs while a manager leads. */
  readonly since: number;
}

/** How long managers have led so far: what silences are measured with, since nobody listens while none leads. */
export interface LedTime {
  readonly milliseconds: number;
}

export const nodeSilent = {
  kind: 'node-silent',
  path: [keyPart('id', parseNodeId)],
  codec: recordCodec<Silence>(
    ({ since }, foreign) => ({ ...foreign, since }),
    (json) => ({ since: number(json, 'since') }),
  ),
  keep: ({ value }: Decoded<Silence>) => value,
  index: () => new MapIndex<'id', NodeId, Silence>('id'),
} as const satisfies RecordKind;

export const ledTime = {
  kind: 'led-time',
  path: [],
  codec: recordCodec<LedTime>(
    ({ milliseconds }, foreign) => ({ ...foreign, milliseconds }),
    (json) => ({ milliseconds: number(json, 'milliseconds') }),
  ),
  keep: ({ value }: Decoded<LedTime>) => value,
  index: () => new SingleIndex<LedTime>(),
} as const satisfies RecordKind;
