import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import { askAll, sendAll } from './ask.ts';
import type { Refused, Requests } from './kind.ts';

interface Deletes {
  /** Asks for the object that is in the place of each. */
  readonly asked: readonly Encode[];
  readonly isForeign: (message: MessageReader) => boolean;
  readonly deletes: readonly Encode[];
}

/** Deletes objects, and none of another program in their place: first asks for all, and then deletes. */
export function deleteOurs(socket: Requests, { asked, isForeign, deletes }: Deletes): ReadonlyMap<number, Refused> {
  const { found, refused } = askAll(socket, asked, isForeign);
  const ours = deletes.map((_, at) => at).filter((at) => found.get(at) !== true && !refused.has(at));
  const failed = sendAll(
    socket,
    ours.flatMap((at) => deletes[at] ?? []),
  );
  return new Map([...refused, ...[...failed].map(([n, each]) => [ours[n] ?? 0, each] as const)]);
}

/** Applies the items one by one. Returns what the kernel has refused, by index. */
export function oneByOne<Item>(items: readonly Item[], apply: (item: Item) => void): ReadonlyMap<number, Refused> {
  const refused = items.map((item, at) => [at, refusalOf(() => apply(item))] as const);
  return new Map(refused.flatMap(([at, each]) => (each === undefined ? [] : [[at, each]])));
}

/** What is refused again, in another form. */
export function stillRefused(
  refused: ReadonlyMap<number, Refused>,
  tryAgain: (at: number, refusal: Refused) => void,
): ReadonlyMap<number, Refused> {
  const still = new Map<number, Refused>();
  for (const [at, each] of refused) {
    const again = refusalOf(() => tryAgain(at, each));
    if (again !== undefined) still.set(at, again);
  }
  return still;
}

function refusalOf(attempt: () => void): Refused | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { errno: error.errno, message: error.detail };
  }
}
