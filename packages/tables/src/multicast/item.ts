import type { NetworkId } from '@causeway/model';
import type { Bytes } from '../wire/bytes.ts';

/** A verified batch on its way. */
export interface Item {
  /** The name of its bytes (`nameOf`). */
  readonly id: string;
  readonly network: NetworkId;
  readonly raw: Bytes;
}

/** A batch up to this size goes whole over both trees; a larger batch over the first, and over the second only its name. */
export const wholeUpTo = 256;
