import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { start, succeed } from './process.ts';
import type { Lab } from './topology.ts';

/** Offsets into a UDP payload that is VXLAN (RFC 7348 §5), as tcpdump counts: from the outer UDP header. */
const innerDestination = 16;
const innerType = 28;
const innerNextHeader = 36;
const innerIcmp6Type = 70;

const vxlan = 'udp dst port 4789';
export const filters = {
  vxlan,
  /** Broadcast and multicast inside the overlay. */
  innerGroup: `${vxlan} and udp[${innerDestination}] & 1 = 1`,
  innerArp: `${vxlan} and udp[${innerType}:2] = 0x0806`,
  /** Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4). */
  innerNd: `${vxlan} and udp[${innerType}:2] = 0x86dd and udp[${innerNextHeader}] = 58 and (udp[${innerIcmp6Type}] = 135 or udp[${innerIcmp6Type}] = 136)`,
  /** Ethernet frames inside the overlay to this address. */
  innerTo(mac: string): string {
    const bytes = mac.split(':').join('');
    return `${vxlan} and udp[${innerDestination}:4] = 0x${bytes.slice(0, 8)} and udp[${innerDestination + 4}:2] = 0x${bytes.slice(8)}`;
  },
} as const;

/** What crosses the underlay while `during` runs. */
export async function captureUnderlay(lab: Lab, during: () => Promise<void>): Promise<Capture> {
  const file = join('/tmp', `causeway-e2e-${lab.name}.pcap`);
  // -Z: started as root it would give up its rights before it opens the file. Without --immediate-mode what came in
  // the last second is lost at its end.
  const run = await lab.start('switch', [
    'tcpdump',
    '-Z',
    'root',
    '-n',
    '-U',
    '--immediate-mode',
    '-i',
    'br0',
    '-w',
    file,
    vxlan,
  ]);
  if (run.child.stderr === null) throw new Error('tcpdump has no stderr');
  await once(run.child.stderr, 'data'); // "listening on br0": from here nothing is missed.
  try {
    await during();
  } finally {
    await lab.sh('switch', 'pkill -INT -x tcpdump');
    await run.outcome;
  }
  return new Capture(file);
}

export class Capture {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** The packets a tcpdump filter matches, a line each. */
  async packets(filter: string): Promise<readonly string[]> {
    const text = await succeed('tcpdump -r', start('tcpdump', ['-n', '-e', '-t', '-r', this.#file, filter]).outcome);
    return text.split('\n').filter((line) => /^[0-9a-f]{2}:/.test(line));
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
