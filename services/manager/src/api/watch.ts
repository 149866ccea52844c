import { CausewayError } from '@causeway/model';
import { seconds, within } from '@causeway/runtime';
import type { Item } from '../listwatch/object-cache.ts';
import { lasting, readSelection, type Selectors } from '../listwatch/selection.ts';
import { type WatchEvent, watch } from '../listwatch/watch.ts';
import type { ListOf } from './list.ts';
import type { ApiContext } from './modules.ts';

/**
 * How long to wait for a view that is behind what a watcher has seen elsewhere. One watch message brings it up to date;
 * after this time the view will not get there.
 */
const catchUpLimit = seconds(2);

interface WatchRequest extends Selectors {
  readonly fromRevision: bigint;
  readonly epoch: bigint;
}

type Watched<I extends Item> = WatchEvent<I> & { readonly epoch: bigint };

/** Every manager answers from its own view. @throws CausewayError revision-compacted, shutting-down, what a list throws */
export async function* watchList<I extends Item>(
  context: ApiContext,
  request: WatchRequest,
  { cache, fields, filter }: ListOf<I>,
  signal: AbortSignal,
): AsyncGenerator<Watched<I>, void> {
  const { view } = context.modules;
  const selected = readSelection(request, lasting(fields));
  const epoch = await reach(context, request, signal);
  const isShown = filter?.read() ?? (() => true);
  const matches = (item: I): boolean => isShown(item) && selected(item);
  const options = { from: request.fromRevision, matches, revision: () => view.revision };
  for await (const event of watch(cache, options, signal)) yield { ...event, epoch };
}

/** Returns the cluster's epoch once the view has reached the revision at which the watch begins. */
async function reach(context: ApiContext, { fromRevision, epoch }: WatchRequest, signal: AbortSignal): Promise<bigint> {
  context.haveRead();
  const { view, clock } = context.modules;
  const present = view.cluster?.epoch ?? 0n;
  if (epoch !== 0n && epoch !== present)
    throw otherPast(
      `the cluster was restored from a backup, and revision ${fromRevision} is from before the restore`,
      fromRevision,
    );
  await within(clock, catchUpLimit, (limit) => view.waitFor(fromRevision, limit).catch(() => undefined), signal);
  if (view.revision < fromRevision)
    throw otherPast(`revision ${fromRevision} is beyond what this manager knows, ${view.revision}`, fromRevision);
  return present;
}

function otherPast(why: string, revision: bigint): CausewayError {
  const message = `${why}: list again, and watch from the revision of that list`;
  return new CausewayError('revision-compacted', message, { revision: `${revision}` });
}
