import type { Lab } from '@causeway/lab/io';
import type { Pings } from '../../guest/commands.ts';
import { marker, pingContainer } from '../../guest/containers.ts';
import { transfer } from '../../guest/transfer.ts';
import { type Capture, isEsp, isUdp, onWire } from '../../guest/wire.ts';
import { encryptedPort, type Population, pingAll, plainPort, type Scene } from './scene.ts';

/** Frames on the underlay. */
export interface Frames {
  /** Frames in which a stranger can read what the containers say. */
  readonly readable: number;
  readonly vxlan: number;
  readonly esp: number;
}

export interface Traffic {
  /** Without encryption: the hunt for readable frames sees them. */
  readonly plain: Frames & { readonly pings: readonly Pings[] };
  readonly encrypted: Frames & { readonly pings: readonly Pings[] };
  /** `inEsp`: bytes that h1's SAs have sent, as the kernel counts them. */
  readonly bulk: Frames & { readonly bytes: number; readonly inEsp: number };
  readonly mtu: {
    readonly mtu: number;
    readonly largest: Pings;
    readonly larger: Pings;
    /** IP packets of ESP on the underlay: the length of the largest, and the number of fragments. */
    readonly outer: number;
    readonly fragments: number;
  };
  /** SAs and policies of h1, as iproute2 prints them without keys. */
  readonly golden: string;
}

export async function pingEverywhere(lab: Lab, population: Population): Promise<Traffic['plain']> {
  const { result: pings, wire } = await onWire(lab, () => pingAll(lab, population, '-c', '3', '-i', '0.05'));
  return { pings, ...framesOf(wire) };
}

export function framesOf(wire: Capture): Frames {
  return {
    readable: wire.containing(marker),
    vxlan: wire.count((frame) => [plainPort, encryptedPort].some((port) => isUdp(frame, port))),
    esp: wire.count(isEsp),
  };
}

const bulkMebibytes = 16;

export async function bulk({ lab, vault }: Scene): Promise<Traffic['bulk']> {
  const [from, to] = vault.containers;
  const sent = async (): Promise<number> => {
    const text = await lab.run('h1', 'ip', '-s', 'xfrm', 'state', 'list', 'src', lab.underlay('h1'), 'nokeys');
    return [...text.matchAll(/lifetime current:\s+(\d+)\(bytes\)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  };
  const before = await sent();
  const { result: bytes, wire } = await onWire(lab, async () => (await transfer(lab, from, to, bulkMebibytes)).bytes);
  return { bytes, inEsp: (await sent()) - before, ...framesOf(wire) };
}

/** Lengths of the headers of IPv4 and ICMP. */
const icmpOverhead = 28;
/** Offset of the length, and of flags and fragment offset, in a frame of IPv4. */
const [lengthAt, fragmentAt] = [16, 20];
const ethernetHeader = 14;

export async function measureMtu({ lab, vault }: Scene): Promise<Traffic['mtu']> {
  const [from, to] = vault.containers;
  const { mtu } = vault.network;
  const pingOf = (bytes: number): Promise<Pings> =>
    pingContainer(lab, from, to, '-c', '3', '-i', '0.05', '-M', 'do', '-s', `${bytes - icmpOverhead}`);
  const { result, wire } = await onWire(
    lab,
    async () => ({ largest: await pingOf(mtu), larger: await pingOf(mtu + 1) }),
    'ip proto 50',
  );
  const outer = Math.max(...wire.frames.map((frame) => frame.readUInt16BE(lengthAt)));
  const isFragment = (frame: Buffer): boolean => (frame.readUInt16BE(fragmentAt) & 0x3fff) !== 0;
  if (wire.frames.some((frame) => frame.length < ethernetHeader)) throw new Error('a frame was cut');
  return { mtu, ...result, outer, fragments: wire.frames.filter(isFragment).length };
}

/** Without what differs in each run: times, numbers of packets, and in which order the hosts got the indexes in their SPIs. */
export async function printIpsec({ lab }: Scene, host: string): Promise<string> {
  const states = await lab.run(host, 'ip', 'xfrm', 'state', 'list', 'nokeys');
  const policies = await lab.run(host, 'ip', 'xfrm', 'policy', 'list');
  const constant = states
    .replaceAll(/^\tlastused .*\n/gm, '')
    .replaceAll(/\b(seq|oseq) 0x[0-9a-f]+/g, '$1 N')
    .replaceAll(/^\t ([0-9a-f]{8} ?)+$/gm, '\t (bitmap)');
  return withoutIndexes(`${sorted(constant)}\n\n${sorted(policies)}\n`);
}

/** SPIs have the index of the host that sends in their lower 24 bits. Here the host is named instead. */
function withoutIndexes(text: string): string {
  return text.replaceAll(/(src \S+\.(\d+) dst \S+\s+proto esp spi 0x..)[0-9a-f]{6}\b/g, '$1(index of h$2)');
}

/** The objects, each of which begins at the start of a line: the kernel lists them in an order of its own. */
function sorted(text: string): string {
  const objects = text
    .replaceAll(/ +$/gm, '')
    .trimEnd()
    .split(/\n(?=\S)/);
  return objects.sort().join('\n');
}
