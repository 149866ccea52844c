import { expect } from 'vitest';
import type { Contact, Dialer } from './dialer.ts';

export interface DialerWorld {
  readonly dialer: Dialer;
  /** Starts a manager's process, which answers with `leads()` whether it leads. Returns its address. */
  run(leads: () => boolean): Promise<string>;
  /** Ends the process. */
  end(address: string): Promise<void>;
  /** Breaks the connections of the process. The process goes on and accepts new ones. */
  breakConnections(address: string): Promise<void>;
  /** Starts a process that accepts connections and says nothing, as a stopped process does. Returns its address. */
  hang(): Promise<string>;
}

export interface DialerCase {
  readonly name: string;
  run(world: DialerWorld): Promise<void>;
}

const patient = (): AbortSignal => new AbortController().signal;

async function connected(dialer: Dialer, address: string, signal = patient()) {
  const contact = await dialer.dial(address, signal);
  expect(contact).toMatchObject({ kind: 'connected' });
  return contact as Extract<Contact, { kind: 'connected' }>;
}

/** What every dialer must do. GrpcDialer and MemoryDialer pass this suite. */
export const dialerContract: readonly DialerCase[] = [
  {
    name: 'a process says whether it leads',
    run: async ({ dialer, run }) => {
      let leads = false;
      const address = await run(() => leads);
      expect((await connected(dialer, address)).leads).toBe(false);
      leads = true;
      expect((await connected(dialer, address)).leads).toBe(true);
    },
  },
  {
    name: 'a process that ends ends its connections, and its host refuses others',
    run: async ({ dialer, run, end }) => {
      const address = await run(() => true);
      const contacts = await Promise.all([connected(dialer, address), connected(dialer, address)]);
      await end(address);
      await Promise.all(contacts.map(({ ended }) => ended));
      expect(await dialer.dial(address, patient())).toEqual({ kind: 'refused' });
    },
  },
  {
    name: 'a connection that breaks is no end of the process',
    run: async ({ dialer, run, breakConnections }) => {
      const address = await run(() => true);
      const { ended } = await connected(dialer, address);
      await breakConnections(address);
      await ended;
      expect((await connected(dialer, address)).leads).toBe(true);
    },
  },
  {
    name: 'silence is unclear',
    run: async ({ dialer, hang }) => {
      expect(await dialer.dial(await hang(), patient())).toEqual({ kind: 'unclear' });
    },
  },
  {
    name: 'the signal ends a connection, and a try that is under way',
    run: async ({ dialer, run, hang }) => {
      const over = new AbortController();
      const { ended } = await connected(dialer, await run(() => true), over.signal);
      const trying = dialer.dial(await hang(), over.signal);
      over.abort();
      await ended;
      expect(await trying).toEqual({ kind: 'unclear' });
      expect(await dialer.dial(await run(() => true), over.signal)).toEqual({ kind: 'unclear' });
    },
  },
];
