import { readFile } from 'node:fs/promises';
import { CausewayError } from '@causeway/model';

/** linux/capability.h */
const needed = [
  { bit: 11n, name: 'CAP_NET_BROADCAST', why: 'to notice changes in containers' },
  { bit: 12n, name: 'CAP_NET_ADMIN', why: 'to program links, addresses and forwarding' },
  { bit: 21n, name: 'CAP_SYS_ADMIN', why: 'to make and enter network namespaces' },
];

/** Throws "capability-missing", which names the capabilities that the process lacks. */
export async function checkCapabilities(): Promise<void> {
  demandCapabilities(await readFile('/proc/self/status', 'utf8'));
}

/** `status`: the content of /proc/PID/status (proc_pid_status(5)). */
export function demandCapabilities(status: string): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const missing = needed.filter(({ bit }) => ((effective >> bit) & 1n) === 0n);
  if (missing.length === 0) return;
  const list = missing.map(({ name, why }) => `${name} (${why})`).join(', ');
  const message = `the agent lacks ${list}: run it as root, or give it these capabilities`;
  throw new CausewayError('capability-missing', message, { missing: missing.map(({ name }) => name).join(' ') });
}
