import type { Stamp } from '@causeway/model';
import type { Reader, Writer } from './bytes.ts';

/**
 * How far the table of a network has come. The changes of one revision may need several batches; `step` counts them, and the last
 * has `lastStep`. Positions of different epochs are ordered by epoch: a restore from a backup begins a new epoch.
 */
export interface Position extends Stamp {
  readonly step: number;
}

/** All changes of the revision are in the table. */
export const lastStep = 0xffff;

/** Before the first row of an epoch. */
export function beginning(epoch: bigint): Position {
  return { epoch, revision: 0n, step: 0 };
}

export function comparePositions(a: Position, b: Position): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.revision !== b.revision) return a.revision < b.revision ? -1 : 1;
  return a.step - b.step;
}

/** Whether a table at `a`, which may have nothing yet, lacks something that a table at `b` has. */
export function isBehind(a: Position | undefined, b: Position | undefined): boolean {
  return b !== undefined && (a === undefined || comparePositions(a, b) < 0);
}

/** "1/5042", or "1/5042 step 3" inside a revision. */
export function formatPosition({ epoch, revision, step }: Position): string {
  return `${epoch}/${revision}${step === lastStep ? '' : ` step ${step}`}`;
}

/** The position without its epoch: 10 bytes. */
export function writePosition(writer: Writer, { revision, step }: Position): void {
  writer.u64(revision).u16(step);
}

export function readPosition(reader: Reader, epoch: bigint): Position {
  return { epoch, revision: reader.u64(), step: reader.u16() };
}
