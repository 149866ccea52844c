import type { ClusterId } from '@causeway/model';
import type { Signer } from '../keys/signatures.ts';
import { keyIdOf } from '../keys/vouched-key.ts';
import { type Batch, encodeBatch, fitting, type Unsigned } from '../wire/batch.ts';
import { beginning, comparePositions, lastStep, type Position } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import type { LiveSet } from './live-set.ts';
import type { NetworkTable } from './network-table.ts';

/** More changes than this go as buckets, from host to host, and not as batches through the trees. */
const maxChanges = 1_024;

/**
 * The signed batches that lead the table to these rows, which the store has at this revision. None: the table is there, or further.
 * Any manager may do this from its own view: two that do it at once write the same rows, and hosts take either.
 */
export function batchesTo(
  table: NetworkTable,
  target: { readonly live: LiveSet; readonly epoch: bigint; readonly revision: bigint },
  cluster: ClusterId,
  signer: Signer,
): readonly Batch[] {
  const { epoch, revision, live } = target;
  const end: Position = { epoch, revision, step: lastStep };
  const known = table.position;
  if (known !== undefined && comparePositions(known, end) >= 0) return [];
  const isNewEpoch = known !== undefined && known.epoch !== epoch;
  let from = known === undefined || isNewEpoch ? beginning(epoch) : known;
  const changes = live.changesSince(table.live);
  const keyId = keyIdOf(signer);
  const signed = (unsigned: Omit<Unsigned, 'network' | 'keyId'>): Batch =>
    encodeBatch({ network: table.network, ...unsigned, keyId }, cluster, (statement) => signer.sign(statement));
  // No table is at the beginning of a new epoch, and most hosts have most rows: they compare, and get what differs.
  if (isNewEpoch || changes.length > maxChanges) return [signed({ from, to: end, root: live.root, changes: [] })];
  const batches: Batch[] = [];
  let at = table.live;
  let start = 0;
  // A table that is inside the revision has steps of it already.
  let step = known?.epoch === epoch && known.revision === revision ? known.step : 0;
  do {
    const count = fitting(changes, start);
    const part: readonly RowChange[] = changes.slice(start, start + count);
    at = at.with(part);
    start += count;
    step++;
    const to = start >= changes.length ? end : { epoch, revision, step };
    batches.push(signed({ from, to, root: at.root, changes: part }));
    from = to;
  } while (start < changes.length);
  return batches;
}
