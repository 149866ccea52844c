// Sends Ethernet frames out of a device of its own network namespace: `send-frames DEVICE`, with a JSON array of frames in
// hexadecimal on standard input.
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { PacketSocket } from '@causeway/netlink/io';

const [, , device = ''] = process.argv;
const index = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const socket = new PacketSocket();
for (const frame of JSON.parse(await text(process.stdin)) as string[]) socket.send(index, Buffer.from(frame, 'hex'));
socket.close();
