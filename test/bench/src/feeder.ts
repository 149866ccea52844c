import { LabGuest } from '@causeway/lab/io';
import { ManagerClient } from './clients.ts';
import { nodeSettings, SessionAgent } from './session.ts';
import { inParallel, numbers } from './work.ts';

/**
 * `feeder.js NETWORK COUNT`, run in a host of a lab, from which the managers can be reached: registers another host, which
 * exists only as a record, and claims COUNT endpoints for it.
 */
const [network = '', count = ''] = process.argv.slice(2);
const address = process.env['CAUSEWAY_MANAGERS']?.split(',')[0] ?? '';

const [agent] = await new LabGuest().agents(['feeder']);
if (agent === undefined) throw new Error('no host has joined');
const session = new SessionAgent(address, agent.credentials, { ...nodeSettings(0), id: agent.id, name: 'feeder' });
await session.start();
const clients = numbers(4).map(() => new ManagerClient(address, agent));
await inParallel(128, numbers(Number(count)), async (i) => {
  await clients[i % clients.length]?.claim(network, `far${i}`, session.id);
});
for (const client of clients) client.close();
session.close();
