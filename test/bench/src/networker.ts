import { LabGuest } from '@causeway/lab/io';
import { ManagerClient } from './clients.ts';
import { inParallel, numbers } from './work.ts';

/** `networker.js COUNT`, run in a host of a lab, from which the managers can be reached: makes networks n0, n1, … */
const count = Number(process.argv[2]);
const address = process.env['CAUSEWAY_MANAGERS']?.split(',')[0] ?? '';

const client = new ManagerClient(address, { credentials: await new LabGuest().operator() });
await inParallel(8, numbers(count), async (i) => {
  await client.createNetwork(`n${i}`, `10.${i >> 8}.${i & 255}.0/24`);
});
client.close();
