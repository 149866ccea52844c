import { ManagerClient } from './clients.ts';
import { nodeSettings, SessionAgent } from './session.ts';
import { inParallel, numbers } from './work.ts';

/**
 * `feeder.js NETWORK COUNT`, run inside a host of a lab, where the managers can be reached: registers another host, which
 * exists in name only, and claims that many endpoints for it.
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
