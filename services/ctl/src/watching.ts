import { CausewayError, isCausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import type { ListQuery } from './listing.ts';
import { renderJson } from './render/json.ts';

/** One change of a list, or a bookmark: the revision up to which the watch is complete. */
export type Change<Item> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'REMOVED'; readonly item: Item; readonly revision: bigint }
  | { readonly type: 'BOOKMARK'; readonly revision: bigint };

export interface Changes {
  /** Only changes after this revision; absent: first all existing objects. */
  readonly from?: bigint;
  readonly clock: Clock;
  /** How long the watch may be without an answer of any manager. */
  readonly patience: Duration;
  readonly signal: AbortSignal;
}

/** Pause before the watch continues at another manager. */
const pause = milliseconds(100);

export interface Position {
  /** 0: before all changes. */
  readonly revision: bigint;
  readonly epoch: bigint;
}

interface WatchMessage<Item> {
  readonly type: string;
  readonly item: Item | undefined;
  readonly revision: bigint;
  readonly more: boolean;
  readonly epoch: bigint;
}

/**
 * The changes of a list, none missing and none twice, even when managers fail. The changes of one revision count once
 * they have all arrived, so a connection that breaks in between has no effect. When the managers no longer remember the
 * revision, everything is listed again, and the differences from the known objects are returned as changes.
 * @throws CausewayError revision-compacted when the watch did not begin with all objects; what the managers refuse; the
 * last failure when no manager has answered for `patience`
 */
export async function* follow<Item extends { readonly id: string }>(
  open: (at: Position) => AsyncIterable<WatchMessage<Item>>,
  { from, clock, patience, signal }: Changes,
): AsyncGenerator<Change<Item>> {
  const known = from === undefined ? new Map<string, Item>() : undefined;
  let at: Position = { revision: from ?? 0n, epoch: 0n };
  let failingSince: number | undefined;
  while (!signal.aborted) {
    let whole: Change<Item>[] = [];
    let failure: unknown;
    try {
      for await (const { more, epoch, ...message } of open(at)) {
        failingSince = undefined;
        whole.push(changeOf(message));
        if (more) continue;
        const changes = at.revision === 0n ? differences(known ?? new Map(), whole) : whole;
        const isNew = message.revision > at.revision;
        at = { revision: message.revision, epoch };
        whole = [];
        if (!isNew) continue;
        if (known !== undefined) remember(known, changes);
        yield* changes;
      }
      failure = new CausewayError('manager-unavailable', 'the manager ended the watch');
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) return;
    if (known !== undefined && isCausewayError(failure, 'revision-compacted')) {
      at = { revision: 0n, epoch: 0n };
    } else {
      failingSince ??= clock.now();
      const mayRetry = isCausewayError(failure) && failure.kind === 'unavailable';
      if (!mayRetry || clock.now() - failingSince >= patience) throw failure;
    }
    await clock.sleep(pause, signal);
  }
}

export async function* watchMessages<Message extends Omit<WatchMessage<never>, 'item'>, Item>(
  messages: AsyncIterable<Message>,
  itemOf: (message: Message) => Item | undefined,
): AsyncGenerator<WatchMessage<Item>> {
  for await (const message of messages) {
    const { type, revision, more, epoch } = message;
    yield { type, item: itemOf(message), revision, more, epoch };
  }
}

function changeOf<Item>({
  type,
  item,
  revision,
}: Pick<WatchMessage<Item>, 'type' | 'item' | 'revision'>): Change<Item> {
  if (type === 'BOOKMARK') return { type, revision };
  if ((type === 'ADDED' || type === 'MODIFIED' || type === 'REMOVED') && item !== undefined)
    return { type, item, revision };
  throw new CausewayError('internal', `a manager sent a change of type "${type}", which this version does not know`);
}

/** The changes from the known objects to a new list. The list is given as additions and the bookmark after them. */
function differences<Item extends { readonly id: string }>(
  known: ReadonlyMap<string, Item>,
  listed: readonly Change<Item>[],
): Change<Item>[] {
  const changes: Change<Item>[] = [];
  const there = new Set<string>();
  const revision = listed.at(-1)?.revision ?? 0n;
  for (const change of listed) {
    if (change.type === 'BOOKMARK') continue;
    there.add(change.item.id);
    const before = known.get(change.item.id);
    if (before === undefined) changes.push(change);
    else if (!isSame(before, change.item)) changes.push({ ...change, type: 'MODIFIED' });
  }
  for (const [id, item] of known) if (!there.has(id)) changes.push({ type: 'REMOVED', item, revision });
  return [...changes, { type: 'BOOKMARK', revision }];
}

function remember<Item extends { readonly id: string }>(
  known: Map<string, Item>,
  changes: readonly Change<Item>[],
): void {
  for (const change of changes) {
    if (change.type === 'REMOVED') known.delete(change.item.id);
    else if (change.type !== 'BOOKMARK') known.set(change.item.id, change.item);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return renderJson(a) === renderJson(b);
}

export function requestOf({ selector, field }: ListQuery, { revision, epoch }: Position) {
  return { fromRevision: revision, epoch, labelSelector: selector, fieldSelector: field };
}
