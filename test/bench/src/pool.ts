import { type Ip, ipBits, ipFromBits } from '@causeway/model';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { Etcd3 } from 'etcd3';
import { ManagerClient } from './clients.ts';
import { atLeast, type Figure, median, ms, quantiles, seconds } from './figure.ts';
import { print } from './print.ts';
import { Servers } from './servers.ts';
import { nodeSettings, registerHosts } from './session.ts';
import { inParallel, numbers, say, timed } from './work.ts';

/** Prefixes of 2^20 addresses each. */
const prefixes = { full: '10.0.0.0/12', empty: '10.16.0.0/12' };
/** One address in this many stays free. */
const freeEvery = 100;
const total = 2 ** 20 - 3; // without the network's own address, its gateway, and the broadcast address
const taken = numbers(total).filter((i) => i % freeEvery !== 0);
const perTransaction = 1_000;
const turns = 20;
const perTurn = 20;

/** Claims in a pool of 2^20 addresses that is 99 % full, in turns with claims in an empty pool. */
export async function benchPool(): Promise<Figure[]> {
  const servers = await Servers.create();
  const client = new ManagerClient(servers.address, servers.members.forwarder());
  try {
    await servers.startManager();
    await registerHosts(servers, 1);
    const full = await client.createNetwork('full', prefixes.full);
    await client.createNetwork('empty', prefixes.empty);
    await servers.stopManager();
    await fill(servers, full);
    say(`manager started in ${print(seconds(await timed(() => servers.startManager())))}`);
    return await measure(client);
  } finally {
    client.close();
    await servers.close();
  }
}

async function measure(client: ManagerClient): Promise<Figure[]> {
  let count = 0;
  const claim = (network: string): Promise<number> =>
    timed(() => client.claim(network, `e${count++}`, nodeSettings(0).id));
  const first = { full: await claim('full'), empty: await claim('empty') };
  const times = { full: [] as number[], empty: [] as number[] };
  for (const _ of numbers(turns)) {
    for (const __ of numbers(perTurn)) times.full.push(await claim('full'));
    for (const __ of numbers(perTurn)) times.empty.push(await claim('empty'));
  }
  return [
    {
      what: 'claim in a pool of 2^20 addresses, 99 % full, every hundredth free',
      ours: quantiles(times.full),
      beside: `in an empty one ${print(quantiles(times.empty))}`,
      ratio: median(times.empty) / median(times.full),
      // As fast as in an empty pool, except for the difference between two runs.
      target: atLeast(0.9, 'ratio'),
    },
    {
      what: 'the first claim there after a start',
      ours: ms(first.full),
      beside: `in an empty one ${print(ms(first.empty))}`,
    },
  ];
}

/**
 * Fills the pool with reservations, since a million claims through the API would take minutes. Every hundredth address stays
 * free, so that free addresses are spread over the whole pool.
 */
async function fill({ etcdUrls }: Servers, { id }: Network): Promise<void> {
  const etcd = new Etcd3({ hosts: [...etcdUrls] });
  const first = ipBits(prefixes.full.replace(/\/.*/, '') as Ip) + 2n; // after the network's own address and its gateway
  const value = Buffer.from(JSON.stringify({ reservation: { purpose: 'bench' } }));
  const put = (i: number) => {
    const key = Buffer.from(`/causeway/v1/addr/${id}/${ipFromBits(4, first + BigInt(i))}`);
    return { request_put: { key, value } };
  };
  const took = await timed(() =>
    inParallel(2, numbers(Math.ceil(taken.length / perTransaction)), (at) => {
      const from = at * perTransaction;
      return etcd.kv.txn({ success: taken.slice(from, from + perTransaction).map(put) });
    }),
  );
  etcd.close();
  say(`${taken.length} addresses reserved in ${print(seconds(took))}`);
}
