import { family, type Ip, ipBytes, type Mac, macBytes } from '@causeway/model';
import type { Announcement } from './announcement.ts';

/** Ethernet header: destination, source, EtherType. */
const ethernet = 14;
const ETH_P_ARP = 0x0806; // linux/if_ether.h
const ETH_P_IPV6 = 0x86dd;
const everyStation = 'ff:ff:ff:ff:ff:ff' as Mac;
/** The MAC of the group ff02::1, all IPv6 nodes of a link (RFC 2464 §7). */
const everyNode = '33:33:00:00:00:01' as Mac;

const ARPHRD_ETHER = 1; // linux/if_arp.h
const ETH_P_IP = 0x0800;
const ARPOP_REPLY = 2;

const ipv6Header = 40;
const IPPROTO_ICMPV6 = 58; // linux/in6.h
const allNodes = 'ff02::1' as Ip;
const NDISC_NEIGHBOUR_ADVERTISEMENT = 136; // net/ndisc.h
const ND_OPT_TARGET_LL_ADDR = 2;
/** R, S and O are the three highest bits: only "override" is set. */
const override = 0x2000_0000;
/** The message with the option: header, flags, target, option. */
const advertisement = 4 + 4 + 16 + 8;
/** ND messages with another hop limit may have come through a router, and are dropped (RFC 4861 §7.1.2). */
const hopLimit = 255;

/** The frames of an announcement, as the announced container itself would send them. They differ only in the destination. */
export function announcementFrames({ ip, mac, to }: Announcement): readonly Uint8Array[] {
  const frame = family(ip) === 4 ? arpReply(ip, mac) : neighbourAdvertisement(ip, mac);
  if (to === 'all') return [frame];
  return to.map((each) => {
    const copy = frame.slice();
    copy.set(macBytes(each), 0);
    return copy;
  });
}

/**
 * A gratuitous ARP reply: sender and target are the announced address and MAC (RFC 826, RFC 5227 §3). Linux completes
 * or replaces an entry that it has, even one that was updated within the last second, because the target MAC equals the
 * sender's (arp_is_garp). It makes no new entry (arp_process, unless `arp_accept` is set). A reply is never answered; an
 * announcement in the form of a request could be.
 */
export function arpReply(ip: Ip, mac: Mac): Uint8Array {
  const { bytes, view } = framed(28, { to: everyStation, from: mac, type: ETH_P_ARP });
  view.setUint16(14, ARPHRD_ETHER);
  view.setUint16(16, ETH_P_IP);
  bytes.set([6, 4], 18);
  view.setUint16(20, ARPOP_REPLY);
  for (const at of [22, 32]) {
    bytes.set(macBytes(mac), at);
    bytes.set(ipBytes(ip), at + 6);
  }
  return bytes;
}

/**
 * An unsolicited neighbour advertisement with the override flag and the target's MAC (RFC 4861 §4.4, §7.2.6). Linux
 * completes or replaces an entry that it has, and makes no new entry (RFC 4861 §7.2.5; ndisc_recv_na, unless
 * `accept_untracked_na` is set). A container must not get the advertisement of its own address: its kernel would warn
 * of a duplicate.
 */
export function neighbourAdvertisement(ip: Ip, mac: Mac): Uint8Array {
  const { bytes, view } = framed(ipv6Header + advertisement, { to: everyNode, from: mac, type: ETH_P_IPV6 });
  const [source, destination] = [ipBytes(ip), ipBytes(allNodes)];
  view.setUint8(14, 6 << 4);
  view.setUint16(18, advertisement);
  bytes.set([IPPROTO_ICMPV6, hopLimit], 20);
  bytes.set(source, 22);
  bytes.set(destination, 38);
  const icmp = ethernet + ipv6Header;
  bytes[icmp] = NDISC_NEIGHBOUR_ADVERTISEMENT;
  view.setUint32(icmp + 4, override);
  bytes.set(source, icmp + 8);
  bytes.set([ND_OPT_TARGET_LL_ADDR, 1], icmp + 24);
  bytes.set(macBytes(mac), icmp + 26);
  view.setUint16(icmp + 2, checksum(source, destination, bytes.subarray(icmp)));
  return bytes;
}

function framed(
  length: number,
  header: { readonly to: Mac; readonly from: Mac; readonly type: number },
): { readonly bytes: Uint8Array; readonly view: DataView } {
  const bytes = new Uint8Array(ethernet + length);
  const view = new DataView(bytes.buffer);
  bytes.set(macBytes(header.to), 0);
  bytes.set(macBytes(header.from), 6);
  view.setUint16(12, header.type);
  return { bytes, view };
}

/** The checksum of ICMPv6, over message and pseudo-header (RFC 4443 §2.3, RFC 8200 §8.1). All parts have even lengths. */
function checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  let sum = message.length + IPPROTO_ICMPV6;
  for (const part of [source, destination, message]) {
    const words = new DataView(part.buffer, part.byteOffset, part.length);
    for (let at = 0; at < part.length; at += 2) sum += words.getUint16(at);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
