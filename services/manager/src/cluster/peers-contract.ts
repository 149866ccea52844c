import { CausewayError } from '@causeway/model';
import {
  type DescribeManagerResponse,
  Hosts,
  type ReportRefusalsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { expect } from 'vitest';
import type { Peer, Peers } from './peers.ts';

interface PeersWorld {
  readonly peers: Peers;
  /** Returns an address at which that manager can be asked from now on. */
  serve(peer: Peer): Promise<string>;
  /** Removes the manager from that address. */
  leave(address: string): Promise<void>;
}

interface PeersCase {
  readonly name: string;
  run(world: PeersWorld): Promise<void>;
}

const standby = (name: string): DescribeManagerResponse => ({
  manager: {
    name,
    address: '192.0.2.1:7443',
    version: '1.2.3',
    etcdMember: 'm1',
    schema: 4,
    revision: 2n ** 53n + 1n,
    state: 'standby',
    goneSinceMs: 0n,
    leader: false,
  },
});
const leader: DescribeManagerResponse = {
  ...standby('m1'),
  hosts: Hosts.create({ ready: 2, repairs: 2n ** 40n, drift: 3 }),
};

const peer = (fields: Partial<Peer>): Peer => ({
  describeManager: async () => ({}),
  reportRefusals: async () => ({}),
  ...fields,
});
const answering = (answer: DescribeManagerResponse): Peer => peer({ describeManager: async () => answer });
const patient = (): AbortSignal => new AbortController().signal;

/** The contract suite of Peers, which GrpcPeers and MemoryPeers pass. */
export const peersContract: readonly PeersCase[] = [
  {
    name: 'each answers for itself, with all it says and no more',
    run: async ({ peers, serve }) => {
      const said = [leader, standby('m2'), {}];
      const addresses = await Promise.all(said.map((answer) => serve(answering(answer))));
      const answers = await Promise.all(addresses.map((address) => peers.describe(address, patient())));
      expect(answers).toEqual(said);
    },
  },
  {
    name: 'the answer has what changed since the last question',
    run: async ({ peers, serve }) => {
      let answer = standby('m1');
      const address = await serve(peer({ describeManager: async () => answer }));
      expect(await peers.describe(address, patient())).toEqual(answer);
      answer = leader;
      expect(await peers.describe(address, patient())).toEqual(leader);
    },
  },
  {
    name: 'a report of refusals arrives as it was sent, and a refusal of it comes back',
    run: async ({ peers, serve }) => {
      const reports: ReportRefusalsRequest[] = [];
      const address = await serve(
        peer({
          reportRefusals: async (report) => {
            if (reports.push(report) > 1) throw new CausewayError('busy', 'too often');
            return {};
          },
        }),
      );
      const call = { subject: 'agent/a1', method: 'NodeService/DrainNode', object: 'host/h2' };
      const refusal = { ...call, code: 'BUSY', count: 3, message: 'no' };
      await peers.reportRefusals(address, { refusals: [refusal] }, patient());
      expect(reports).toEqual([{ refusals: [refusal] }]);
      await expect(peers.reportRefusals(address, { refusals: [] }, patient())).rejects.toMatchObject({ code: 'busy' });
    },
  },
  {
    name: 'the manager has stopped',
    run: async ({ peers, serve, leave }) => {
      const address = await serve(answering(leader));
      await peers.describe(address, patient());
      await leave(address);
      await expect(peers.describe(address, patient())).rejects.toMatchObject({ code: 'manager-unavailable' });
    },
  },
  {
    name: 'a refusal comes with its code, text and data',
    run: async ({ peers, serve }) => {
      const refusal = new CausewayError('store-unavailable', 'not read yet', { store: 'etcd' });
      const address = await serve(peer({ describeManager: () => Promise.reject(refusal) }));
      const { code, message, data } = refusal;
      await expect(peers.describe(address, patient())).rejects.toMatchObject({ code, message, data });
    },
  },
  {
    name: 'one that says nothing is given up with the signal, and others are not',
    run: async ({ peers, serve }) => {
      let asked = (): void => undefined;
      const arrived = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const silent = await serve(
        peer({
          describeManager: () => {
            asked();
            return new Promise(() => undefined);
          },
        }),
      );
      const giveUp = new AbortController();
      const answer = peers.describe(silent, giveUp.signal).catch((error: unknown) => error);
      await arrived;
      giveUp.abort();
      expect(await answer).toMatchObject({ code: 'timed-out' });
      expect(await peers.describe(await serve(answering(leader)), patient())).toEqual(leader);
    },
  },
  {
    name: 'a question given up before it was asked',
    run: async ({ peers, serve }) => {
      const address = await serve(answering(leader));
      await expect(peers.describe(address, AbortSignal.abort())).rejects.toMatchObject({ code: 'timed-out' });
    },
  },
];
