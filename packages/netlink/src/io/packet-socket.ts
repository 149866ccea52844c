import { close } from 'node:fs';
import { KernelError } from '../kernel-error.ts';
import { openPacket, sendFrame } from './libc.ts';
import { inNetns } from './netns.ts';

/**
 * Sends Ethernet frames on the links of one namespace, and receives nothing (packet(7)). The socket keeps its namespace
 * alive until it is closed. Keep a socket that is used again: the kernel takes milliseconds to close it, because it waits
 * until no packet in flight can refer to the socket (packet_release, synchronize_net).
 */
export class PacketSocket {
  readonly #fd: number;
  #open = true;

  /** @param netns fd of an open namespace; undefined: the process's own namespace. */
  constructor(netns?: number) {
    this.#fd = inNetns(netns, openPacket);
  }

  /**
   * Sends a whole frame, from the destination MAC on, out of the link with this index.
   * @throws KernelError ENXIO: there is no such link. ENETDOWN: the link is down. EMSGSIZE: the frame exceeds the link's
   * MTU. EAGAIN, ENOBUFS: a buffer is full.
   */
  send(index: number, frame: Uint8Array): void {
    // Another file may have the number of a closed socket.
    if (!this.#open) throw new KernelError('EBADF', 'the packet socket is closed');
    sendFrame(this.#fd, index, frame);
  }

  /** Returns at once; a thread of the pool waits for the kernel. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd, () => {});
  }
}
