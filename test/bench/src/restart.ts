import { Etcd3 } from 'etcd3';
import { ManagerClient } from './clients.ts';
import { atMost, type Figure, mib, seconds } from './figure.ts';
import { print } from './print.ts';
import { usage } from './proc.ts';
import { Servers } from './servers.ts';
import { nodeSettings, registerHosts } from './session.ts';
import { inParallel, numbers, say, timed, until } from './work.ts';

const endpoints = 100_000;
const networks = 100;
const hosts = 100;
const callSize = 100;
const workers = 16;

/** Time until a manager serves after a start on a store with 100,000 endpoints, compared with just reading the store. */
export async function benchRestart(): Promise<Figure[]> {
  const servers = await Servers.create();
  const client = new ManagerClient(servers.address, servers.members.forwarder());
  const etcd = new Etcd3({ hosts: [...servers.etcdUrls], grpcOptions: { 'grpc.max_receive_message_length': -1 } });
  try {
    await servers.startManager();
    await fill(servers, client);
    const full = usage(servers.manager).rss;
    await servers.stopManager();
    await forgetOutcomes(etcd);
    const read = await timed(() => readAll(etcd));
    const leading = servers.startManager();
    const serves = await timed(() =>
      until('the manager serves', 60_000, async () => {
        const status = await client.status(1000).catch(() => undefined);
        return status !== undefined && Number(status.endpoints) === endpoints;
      }),
    );
    await leading;
    const { rss, peakRss } = usage(servers.manager);
    return [
      {
        what: `manager process started → serves reads, ${endpoints} endpoints`,
        ours: seconds(serves),
        beside: `every key read by etcd3 ${print(seconds(read))}`,
        ratio: read / serves,
        target: atMost(5),
      },
      {
        what: 'its RSS then',
        ours: mib(rss),
        beside: `at most ${print(mib(peakRss))}; before, having claimed them ${print(mib(full))}`,
      },
    ];
  } finally {
    client.close();
    etcd.close();
    await servers.close();
  }
}

async function fill(servers: Servers, client: ManagerClient): Promise<void> {
  await registerHosts(servers, hosts);
  await inParallel(workers, numbers(networks), (n) => client.createNetwork(`n${n}`, `10.${n}.0.0/16`));
  const took = await timed(() =>
    inParallel(workers, numbers(endpoints / callSize), (i) => {
      const names = numbers(callSize).map((n) => `e${i}-${n}`);
      return client.claimTogether(`n${i % networks}`, names, nodeSettings(Math.floor(i / networks) % hosts).id);
    }),
  );
  say(`${endpoints} endpoints claimed in ${print(seconds(took))}`);
}

/** Revokes the leases of stored answers, as if ten minutes had passed. */
async function forgetOutcomes(etcd: Etcd3): Promise<void> {
  const { leases } = await etcd.leaseClient.leaseLeases();
  for (const { ID } of leases) await etcd.leaseClient.leaseRevoke({ ID });
}

async function readAll(etcd: Etcd3): Promise<void> {
  await etcd.getAll().prefix('/causeway/v1/').exec();
}
