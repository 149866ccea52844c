import type { Lab } from '@causeway/lab/io';
import type { Pings } from './commands.ts';
import { type Container, pingContainer } from './containers.ts';

/** Fifty a second, so that an answer is there before the next one is sent, also in a slow guest. */
const some = ['-i', '0.02', '-c', '50'];

export type Answered = Pick<Pings, 'sent' | 'received'>;

/** Pings between each of these pairs while `work` runs. The last pings are answered, or have failed, when this resolves. */
export async function pingWhile<Result>(
  lab: Lab,
  pairs: readonly (readonly [from: Container, to: Container])[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly pings: readonly Answered[] }> {
  let isOver = false;
  const flow = async ([from, to]: readonly [Container, Container]): Promise<Answered> => {
    const sum = { sent: 0, received: 0 };
    while (!isOver) {
      const { sent, received } = await pingContainer(lab, from, to, ...some);
      sum.sent += sent;
      sum.received += received;
    }
    return sum;
  };
  const flows = Promise.all(pairs.map(flow));
  try {
    const result = await work();
    isOver = true;
    return { result, pings: await flows };
  } finally {
    isOver = true;
    await flows;
  }
}
