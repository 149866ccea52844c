import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import { askAll, sendAll } from './ask.ts';
import type { Refused, Requests } from './kind.ts';

interface Writes {
  /** Asks for the object that is in the place of each. */
  readonly asked: readonly Encode[];
  readonly isForeign: (message: MessageReader) => boolean;
  readonly writes: readonly Encode[];
  /** Why an object of another program refuses the write; undefined: nothing is done, and that is right. */
  readonly foreign: Refused | undefined;
}

/** Writes what is in the place of no object of another program: first asks for all, and then writes. */
export function writeOurs(
  socket: Requests,
  { asked, isForeign, writes, foreign }: Writes,
): ReadonlyMap<number, Refused> {
  const { found, refused } = askAll(socket, asked, isForeign);
  const ours = writes.map((_, at) => at).filter((at) => found.get(at) !== true && !refused.has(at));
  const failed = sendAll(
    socket,
    ours.flatMap((at) => writes[at] ?? []),
  );
  const all = new Map([...refused, ...[...failed].map(([n, each]) => [ours[n] ?? 0, each] as const)]);
  if (foreign !== undefined) for (const [at, isTaken] of found) if (isTaken) all.set(at, foreign);
  return all;
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
