import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { type Lab, type Run, signalChild } from '@causeway/lab/io';
import { until } from './until.ts';

/** Ends a capture: what a ping carries, which is as long as a pattern of ping(8). */
const end = 'END OF CAPTURE..';
const lastPing = ['ping', '-n', '-c', '1', '-s', '64', '-p', Buffer.from(end).toString('hex')];

/** Lengths in a file of libpcap (pcap-savefile(5)). */
const fileHeader = 24;
const frameHeader = 16;

let captures = 0;

/** The frames on the underlay while `work` runs, or since it calls `mark`. `filter`: of tcpdump; absent: all. */
export async function onWire<Result>(
  lab: Lab,
  work: (mark: () => void) => Promise<Result>,
  filter?: string,
): Promise<{ readonly result: Result; readonly wire: Capture }> {
  captures += 1;
  const file = `/run/capture-${captures}.pcap`;
  const run = await listen(lab, file, filter);
  let since = 0;
  try {
    const result = await work(() => {
      since = Date.now();
    });
    // All that the switch has forwarded before this frame is before it in the file. No story cuts h3 off.
    await lab.run('h3', ...lastPing, lab.underlay('h2'));
    await until('the capture has everything', async () => (await readFile(file)).includes(end));
    return { result, wire: new Capture(framesOf(await readFile(file), since)) };
  } finally {
    await signalChild(run.child.pid, 'SIGINT');
    await run.outcome;
    await rm(file, { force: true });
  }
}

/** Resolves when tcpdump listens. */
async function listen(lab: Lab, file: string, filter: string | undefined): Promise<Run> {
  // -Z root: otherwise tcpdump, started as root, gives up its rights before it opens the file.
  const options = ['-n', '--immediate-mode', '-U', '-Z', 'root', '-i', 'br0', '-w', file];
  const words = filter === undefined ? [] : [`(${filter}) or icmp`];
  const run = await lab.start('switch', ['tcpdump', ...options, ...words]);
  if (run.child.stderr === null) throw new Error('tcpdump has no stderr');
  await once(run.child.stderr, 'data'); // "listening on …"
  return run;
}

/** All frames since a time, and before the one that ends the capture. */
function framesOf(file: Buffer, since: number): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = fileHeader; at + frameHeader <= file.length; ) {
    const time = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + frameHeader, at + frameHeader + length);
    if (frame.includes(end)) break;
    if (time >= since) frames.push(frame);
    at += frameHeader + length;
  }
  return frames;
}

export class Capture {
  readonly frames: readonly Buffer[];

  constructor(frames: readonly Buffer[]) {
    this.frames = frames;
  }

  count(is: (frame: Buffer) => boolean): number {
    return this.frames.filter(is).length;
  }

  /** Number of frames that contain the text. */
  containing(text: string): number {
    return this.count((frame) => frame.includes(text));
  }
}

/** Offsets in a frame of UDP over IPv4 without options. */
const at = { etherType: 12, protocol: 23, sport: 34, dport: 36 };
const ipv4 = 0x0800;
const protocols = { udp: 17, esp: 50 };

export function isEsp(frame: Buffer): boolean {
  return isIpv4(frame, protocols.esp);
}

/** The port is that of the sender or of the receiver. */
export function isUdp(frame: Buffer, port: number): boolean {
  return isIpv4(frame, protocols.udp) && [at.sport, at.dport].some((offset) => frame.readUInt16BE(offset) === port);
}

function isIpv4(frame: Buffer, protocol: number): boolean {
  return frame.readUInt16BE(at.etherType) === ipv4 && frame[at.protocol] === protocol;
}
