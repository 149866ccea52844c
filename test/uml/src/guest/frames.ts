import { fileURLToPath } from 'node:url';
import type { Lab } from '@causeway/lab/io';

/** Offsets in a frame of VXLAN over UDP over IPv4 without options, from its first byte. */
const at = { ip: 14, sport: 34, dport: 36, udpChecksum: 40, vxlan: 42, vni: 46, inner: 50, innerIp: 64 };
/** Offsets in an IPv4 header. */
const ip = { checksum: 10, src: 12, dst: 16, end: 20 };

/** What to change in a frame of VXLAN that carries an IPv4 packet. */
export interface Readdressing {
  /** Source and destination, as tunnels of encrypted networks have them. */
  readonly port: number;
  readonly vni: number;
  /** Source address of the outer header; absent: stays. */
  readonly src?: string;
  /** Who the inner packet is for. */
  readonly to: { readonly mac: string; readonly address: string };
}

/** The frame with other addresses. Its checksums are right, or absent where that is allowed (RFC 768). */
export function readdress(frame: Buffer, { port, vni, src, to }: Readdressing): Buffer {
  const changed = Buffer.from(frame);
  changed.writeUInt16BE(port, at.sport);
  changed.writeUInt16BE(port, at.dport);
  changed.writeUInt16BE(0, at.udpChecksum);
  changed.writeUIntBE(vni, at.vni, 3);
  if (src !== undefined) changed.set(bytesOf(src), at.ip + ip.src);
  changed.write(to.mac.replaceAll(':', ''), at.inner, 'hex');
  changed.set(bytesOf(to.address), at.innerIp + ip.dst);
  for (const header of [at.ip, at.innerIp]) {
    changed.writeUInt16BE(0, header + ip.checksum);
    changed.writeUInt16BE(checksum(changed.subarray(header, header + ip.end)), header + ip.checksum);
  }
  return changed;
}

function bytesOf(address: string): readonly number[] {
  return address.split('.').map(Number);
}

/** What a program would write into a UDP socket, to send the frame's VXLAN packet. */
export function vxlanPayload(frame: Buffer): Buffer {
  return frame.subarray(at.vxlan);
}

/** RFC 1071 */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const sender = fileURLToPath(new URL('../tools/send-frames.js', import.meta.url));

/** The switch sends the frames to the host, as if they came from another. */
export function deliver(lab: Lab, host: string, frames: readonly Buffer[]): Promise<void> {
  return sendFrom(lab, 'switch', host, frames);
}

/** The host sends the frames out of its device. */
export async function sendFrom(lab: Lab, host: string, device: string, frames: readonly Buffer[]): Promise<void> {
  const texts = frames.map((each) => each.toString('hex'));
  await lab.feed(host, [process.execPath, sender, device], JSON.stringify(texts));
}
