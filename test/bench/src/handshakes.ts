import type { SecureContext } from 'node:tls';
import { contextOf } from '@causeway/identity/io';
import { BareServer } from './bare-server.ts';
import { atMost, count, type Figure, ms, perSecond, seconds } from './figure.ts';
import { Joiners } from './joiners.ts';
import { print } from './print.ts';
import { cpuDuring } from './proc.ts';
import { Servers } from './servers.ts';
import { storm } from './storm.ts';
import { shakeHands } from './tls-client.ts';
import { inParallel, numbers, say, timed } from './work.ts';

/** Connections at the same time. */
const workers = 32;
const handshakes = 1_000;
/** The first handshakes of a process are slower: V8 has compiled nothing yet. */
const warmUp = 200;
/** As many as all sources together may do at once (`joinLimits` of the manager). */
const joins = 400;
/** Clients that connect at the same instant. More would take this process longer than they take the manager. */
const together = 500;

interface Cost {
  readonly perSecond: number;
  /** CPU time of the server for each, ms. */
  readonly cpu: number;
}

/** TLS handshakes with one manager, beside a bare TLS server with certificates of the same CA, and joins. */
export async function benchHandshakes(): Promise<Figure[]> {
  const servers = await Servers.create();
  const bare = await BareServer.start(servers.members.credential('manager', 'bare'));
  try {
    await servers.startManager();
    const manager = { address: servers.address, pid: servers.manager };
    const agent = contextOf(servers.members.credential('agent', 'a1a1a1a1a1a1a1a1'));
    for (const server of [manager, bare]) await handshakesOf(server, agent, warmUp);
    const ours = await handshakesOf(manager, agent, handshakes);
    const theirs = await handshakesOf(bare, agent, handshakes);
    say(`${handshakes} handshakes: ${print(perSecond(ours.perSecond))}`);
    const { took, isLeaderLost } = await storm(servers, agent, together);
    say(`${together} clients together: ${print(seconds(took))}`);
    const joiners = await Joiners.create(servers, joins);
    const joined = await costOf(manager.pid, joins, (i) => joiners.join(i));
    say(`${joins} joins: ${print(perSecond(joined.perSecond))}`);
    const besideHandshakes = `node:tls alone ${print(perSecond(theirs.perSecond))}`;
    const besideCpu = `node:tls alone ${print(ms(theirs.cpu))}`;
    return [
      {
        what: `TLS handshakes, ${workers} at once, until the server's first byte`,
        ours: perSecond(ours.perSecond),
        beside: besideHandshakes,
        ratio: ours.perSecond / theirs.perSecond,
      },
      {
        what: 'CPU time of the manager per handshake',
        ours: ms(ours.cpu),
        beside: besideCpu,
        ratio: theirs.cpu / ours.cpu,
      },
      {
        what: `leaderships lost while ${together} clients connect together, and one source holds 500 half-open connections`,
        ours: count(isLeaderLost ? 1 : 0),
        beside: `all handshakes done in ${print(seconds(took))}`,
        target: atMost(0),
      },
      {
        what: `joins by token, ${workers} at once, each on a connection of its own`,
        ours: perSecond(joined.perSecond),
        beside: besideHandshakes,
        ratio: joined.perSecond / theirs.perSecond,
      },
      {
        what: 'CPU time of the manager per join',
        ours: ms(joined.cpu),
        beside: besideCpu,
        ratio: theirs.cpu / joined.cpu,
      },
    ];
  } finally {
    await bare.close();
    await servers.close();
  }
}

function handshakesOf(
  { address, pid }: { readonly address: string; readonly pid: number },
  secureContext: SecureContext,
  count: number,
): Promise<Cost> {
  return costOf(pid, count, () => shakeHands({ address, secureContext }));
}

async function costOf(pid: number, count: number, once: (i: number) => Promise<void>): Promise<Cost> {
  let took = 0;
  const cpu = await cpuDuring([pid], async () => {
    took = await timed(() => inParallel(workers, numbers(count), once));
  });
  return { perSecond: (count * 1_000) / took, cpu: (cpu * 1_000) / count };
}
