import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { type Lab, type Run, signalChild, start, succeed } from '@causeway/lab/io';
import { until } from './until.ts';

/** Ends a capture: what a ping carries, which is as long as a pattern of ping(8). */
const end = 'END OF CAPTURE..';
const lastPing = ['ping', '-n', '-c', '1', '-s', '64', '-p', Buffer.from(end).toString('hex')];

/** Lengths in a file of libpcap (pcap-savefile(5)). */
const fileHeader = 24;
const frameHeader = 16;

let captures = 0;

/** The frames on the underlay while `work` runs. `filter`: of tcpdump; absent: all. */
export async function onWire<Result>(
  lab: Lab,
  work: () => Promise<Result>,
  filter?: string,
): Promise<{ readonly result: Result; readonly wire: Capture }> {
  captures += 1;
  const file = `/run/capture-${captures}.pcap`;
  const run = await listen(lab, file, filter);
  try {
    const result = await work();
    // All that the switch has forwarded before this frame is before it in the file. No story cuts h3 off.
    await lab.run('h3', ...lastPing, lab.underlay('h2'));
    await until('the capture has everything', async () => (await readFile(file)).includes(end));
    return { result, wire: new Capture(file, framesOf(await readFile(file))) };
  } finally {
    await signalChild(run.child.pid, 'SIGINT');
    await run.outcome;
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

/** All frames before the one that ends the capture. */
function framesOf(file: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = fileHeader; at + frameHeader <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + frameHeader, at + frameHeader + length);
    if (frame.includes(end)) break;
    frames.push(frame);
    at += frameHeader + length;
  }
  return frames;
}

export class Capture {
  readonly #file: string;
  readonly frames: readonly Buffer[];

  constructor(file: string, frames: readonly Buffer[]) {
    this.#file = file;
    this.frames = frames;
  }

  /** Number of frames that contain the text. */
  containing(text: string): number {
    return this.frames.filter((frame) => frame.includes(text)).length;
  }

  /** Number of frames that a filter of tcpdump matches. */
  async count(filter: string): Promise<number> {
    const text = await succeed('tcpdump -r', start('tcpdump', ['-n', '-e', '-t', '-r', this.#file, filter]).outcome);
    // A frame of VXLAN has a second line, for what it carries. The first begins with a MAC.
    return text.split('\n').filter((line) => /^[0-9a-f]{2}:/.test(line)).length;
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
