import { ManagerClient } from './clients.ts';
import { nodeSettings, SessionAgent } from './session.ts';
import { inParallel, numbers } from './work.ts';

/**
 * `feeder.js NETWORK COUNT`, run in a host of a lab, from which the managers can be reached: registers another host, which
 * exists only as a record, and claims COUNT endpoints for it.
 */
const [network = '', count = ''] = process.argv.slice(2);
const address = process.env['CAUSEWAY_MANAGERS']?.split(',')[0] ?? '';

const session = new SessionAgent(address, nodeSettings(0));
await session.start();
const clients = numbers(4).map(() => new ManagerClient(address));
await inParallel(128, numbers(Number(count)), async (i) => {
  await clients[i % clients.length]?.claim(network, `far${i}`, session.id);
});
for (const client of clients) client.close();
session.close();
