import { CausewayError } from '@causeway/model';
import type { FakeServers } from './fake-clients.ts';

/** Clears the screen, sets a title, sets a colour by C1, reverses the direction of text, and begins lines. */
const venom = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnp\u2069\n\u2028\r\u0085-';

/** Texts that the program interprets and does not print. */
const read: ReadonlySet<string> = new Set([
  ...['ADDED', 'MODIFIED', 'REMOVED', 'BOOKMARK', 'operator', 'Settled', 'encrypted-overlay', ''],
]);

/** Servers whose texts all contain commands for a terminal. */
export function hostile({ managers = {}, agent = {} }: FakeServers): FakeServers {
  return { managers: poisoned(managers), agent: poisoned(agent) };
}

function poisoned<Server extends object>(server: Server): Server {
  return Object.fromEntries(
    Object.entries(server).map(([name, serve]: [string, (request: unknown) => unknown]) => {
      return [name, (request: unknown) => poisonAnswer(serve(request))];
    }),
  ) as Server;
}

function poisonAnswer(answer: unknown): unknown {
  if (answer instanceof Promise) return answer.then(poison, fail);
  return isStream(answer) ? poisonStream(answer) : poison(answer);
}

async function* poisonStream(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    for await (const item of items) yield poison(item);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  if (!(error instanceof CausewayError)) throw error;
  throw new CausewayError(error.code, error.message + venom, { ...error.data, at: venom });
}

function poison(value: unknown): unknown {
  if (typeof value === 'string') return read.has(value) ? value : value + venom;
  if (Array.isArray(value)) return value.map(poison);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [isMap(value) ? key + venom : key, poison(member)]),
  );
}

/** The protocol's maps contain only texts, and its messages never contain only texts. */
function isMap(value: object): boolean {
  const members = Object.entries(value);
  return members.length > 0 && members.every(([key, member]) => typeof member === 'string' && labels.has(key));
}

const labels: ReadonlySet<string> = new Set(['team', 'tier', 'app', 'zone', 'shop', 'core']);

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
