import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lab, type Run, signalChild, start, succeed } from '@causeway/lab/io';
import { expect } from 'vitest';
import type { Container } from './cluster.ts';
import { eventually } from './eventually.ts';

/** Offsets into a UDP datagram with VXLAN (RFC 7348 §5), counted like tcpdump: from the outer UDP header. */
const innerDestination = 16;
const innerType = 28;
const innerNextHeader = 36;
const innerIcmp6Type = 70;

const vxlan = 'udp dst port 4789';
/** The port of encrypted networks: VXLAN on it travels in ESP only, so a capture of the underlay never has it. */
const encryptedVxlan = 'udp dst port 4793';
export const filters = {
  vxlan,
  encryptedVxlan,
  /** Broadcast and multicast inside the overlay. */
  innerGroup: `${vxlan} and udp[${innerDestination}] & 1 = 1`,
  innerArp: `${vxlan} and udp[${innerType}:2] = 0x0806`,
  /** Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4). */
  innerNd: `${vxlan} and udp[${innerType}:2] = 0x86dd and udp[${innerNextHeader}] = 58 and (udp[${innerIcmp6Type}] = 135 or udp[${innerIcmp6Type}] = 136)`,
  /** Ethernet frames inside the overlay to this MAC. */
  innerTo(mac: string): string {
    const bytes = mac.split(':').join('');
    return `${vxlan} and udp[${innerDestination}:4] = 0x${bytes.slice(0, 8)} and udp[${innerDestination + 4}:2] = 0x${bytes.slice(8)}`;
  },
} as const;

/** Without --immediate-mode the packets of the last second are lost when tcpdump ends. */
const tcpdump = ['tcpdump', '-n', '--immediate-mode'];

/** The packets on the underlay while `during` runs. */
export async function captureUnderlay(lab: Lab, during: () => Promise<void>): Promise<Capture> {
  const file = join('/tmp', `causeway-e2e-${lab.name}.pcap`);
  // -Z root: otherwise tcpdump, started as root, gives up its rights before it opens the file.
  const run = await listen(lab, 'switch', [
    ...tcpdump,
    '-Z',
    'root',
    '-U',
    '-i',
    'br0',
    '-w',
    file,
    `${vxlan} or ${encryptedVxlan}`,
  ]);
  try {
    await during();
  } finally {
    await end(run);
  }
  return new Capture(file);
}

export interface Overheard {
  /**
   * Waits for the first frame whose line contains the text, and ends the capture. Resolves to the lines before that
   * frame.
   */
  before(text: string): Promise<readonly string[]>;
}

/** The frames that a container's interface sends and receives, as tcpdump prints them. */
export async function overhear(lab: Lab, at: Container, filter: string): Promise<Overheard> {
  const enter = ['ip', 'netns', 'exec', at.netns];
  const run = await listen(lab, at.host, [...enter, ...tcpdump, '-l', '-e', '-p', '-i', 'eth0', filter]);
  let said = '';
  run.child.stdout?.on('data', (printed: string) => {
    said += printed;
  });
  return {
    before: async (text) => {
      await eventually(async () => expect(said).toContain(text));
      await end(run);
      return said.slice(0, said.indexOf(text)).split('\n').slice(0, -1);
    },
  };
}

/** Resolves when tcpdump listens. */
async function listen(lab: Lab, host: string, command: readonly string[]): Promise<Run> {
  const run = await lab.start(host, command);
  if (run.child.stderr === null) throw new Error('tcpdump has no stderr');
  await once(run.child.stderr, 'data'); // "listening on …"
  return run;
}

async function end(run: Run): Promise<void> {
  await signalChild(run.child.pid, 'SIGINT');
  await run.outcome;
}

export class Capture {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** The packets that a tcpdump filter matches, one per line. */
  async packets(filter: string): Promise<readonly string[]> {
    const text = await succeed('tcpdump -r', start('tcpdump', ['-n', '-e', '-t', '-r', this.#file, filter]).outcome);
    return text.split('\n').filter((line) => /^[0-9a-f]{2}:/.test(line));
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
