import koffi from 'koffi';
import { KernelError } from '../kernel-error.ts';

/**
 * The only file that calls C. Every call is synchronous and runs on the calling thread. setns(2) and unshare(2) need this,
 * because they change only the calling thread. koffi's version is pinned because `node.poll` is not documented.
 */

const CLONE_NEWNET = 0x40000000; // linux/sched.h
const CLONE_NEWNS = 0x00020000;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16; // bits/socket.h, this and the constants down to SO_RCVBUFFORCE
const AF_PACKET = 17;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_TRUNC = 0x20;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_NETNS_COOKIE = 71; // asm-generic/socket.h, since Linux 5.14
const SOCK_DGRAM = 2;
const SOL_NETLINK = 270;
const SOL_UDP = 17;
const UDP_ENCAP = 100; // linux/udp.h
const UDP_ENCAP_ESPINUDP = 2;
const MS_BIND = 0x1000; // sys/mount.h
const MS_REC = 0x4000;
const MS_PRIVATE = 0x40000;
const MNT_DETACH = 2;
const NS_GET_NSTYPE = 0xb703; // linux/nsfs.h: _IO(0xb7, 0x3)
const EAGAIN = 11;
const SIOCGIFINDEX = 0x8933; // bits/ioctls.h
const NETLINK_LISTEN_ALL_NSID = 8; // linux/netlink.h: an option, and the type of the control message with the nsid
const IFNAMSIZ = 16; // linux/if.h, with the final zero

const utf8 = new TextEncoder();
const libc = koffi.load(null);
const c = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  getsockname: libc.func('int getsockname(int fd, _Out_ void *address, _Inout_ uint32_t *length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)'),
  send: libc.func('long send(int fd, const void *buffer, size_t length, int flags)'),
  sendto: libc.func(
    'long sendto(int fd, const void *buffer, size_t length, int flags, const void *address, uint32_t size)',
  ),
  recv: libc.func('long recv(int fd, void *buffer, size_t length, int flags)'),
  recvmsg: libc.func('long recvmsg(int fd, void *header, int flags)'),
  close: libc.func('int close(int fd)'),
  setns: libc.func('int setns(int fd, int type)'),
  unshare: libc.func('int unshare(int flags)'),
  mount: libc.func('int mount(const char *from, const char *to, const char *type, unsigned long flags, void *data)'),
  umount2: libc.func('int umount2(const char *at, int flags)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request)'),
  ifreqIoctl: libc.func('ioctl', 'int', ['int', 'unsigned long', 'void *']),
  gettid: libc.func('int gettid()'),
};

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, errno]) => [errno, name]));
errnoNames.set(EAGAIN, 'EAGAIN').set(95, 'EOPNOTSUPP').set(524, 'ENOTSUPP'); // include/linux/errno.h; not in libc

export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}

function check(call: string, result: number): number {
  if (result < 0) throw new KernelError(errnoName(koffi.errno()), call);
  return result;
}

/** A unix socket that accepts no connections, bound to an abstract name of the thread's network namespace (unix(7)). */
export function bindUnixName(name: string): number {
  const fd = check('socket', c.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const address = utf8.encode(`\0\0\0${name}`); // struct sockaddr_un: the family, a zero byte and the name
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  try {
    check('bind', c.bind(fd, address, address.length));
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/**
 * A UDP socket at this address and port in the thread's namespace, whose ESP packets the kernel takes before they reach the socket
 * (RFC 3948). `address`: the 4 or 16 bytes of an IP address.
 * @throws KernelError EADDRINUSE, EADDRNOTAVAIL; ENOPROTOOPT: the kernel was built without IPsec
 */
export function openEncapSocket(address: Uint8Array, port: number): number {
  const isSix = address.length === 16;
  const fd = check('socket', c.socket(isSix ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const name = new Uint8Array(isSix ? 28 : 16); // struct sockaddr_in6: family, port, flow, address; struct sockaddr_in
  const view = new DataView(name.buffer);
  view.setUint16(0, isSix ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  name.set(address, isSix ? 8 : 4);
  try {
    check('setsockopt UDP_ENCAP', c.setsockopt(fd, SOL_UDP, UDP_ENCAP, Int32Array.of(UDP_ENCAP_ESPINUDP), 4));
    // Nothing reads what is no ESP, so it must not fill memory: the kernel makes this its smallest buffer.
    check('setsockopt SO_RCVBUF', c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, Int32Array.of(1), 4));
    check('bind', c.bind(fd, name, name.length));
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/** The port of a bound netlink socket, which the kernel has chosen. */
export function portOf(fd: number): number {
  const address = new Uint8Array(12); // struct sockaddr_nl
  check('getsockname', c.getsockname(fd, address, [address.length]));
  return new DataView(address.buffer).getUint32(4, true);
}

/** A bound netlink socket of this protocol, in the thread's network namespace. Non-blocking. */
export function openNetlink(protocol: number): number {
  const fd = check('socket', c.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  const address = new Uint8Array(12); // struct sockaddr_nl: the kernel chooses the port
  address[0] = AF_NETLINK;
  try {
    check('bind', c.bind(fd, address, address.length));
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

export function setNetlinkOption(fd: number, option: number, value: number): void {
  check('setsockopt', c.setsockopt(fd, SOL_NETLINK, option, Int32Array.of(value), 4));
}

/** Sets both buffer sizes, bytes. With CAP_NET_ADMIN they may exceed net.core.{r,w}mem_max. */
export function setBuffers(fd: number, receive: number, send: number): void {
  check('setsockopt SO_RCVBUFFORCE', c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Int32Array.of(receive), 4));
  check('setsockopt SO_SNDBUFFORCE', c.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(send), 4));
}

/**
 * The number (cookie) of the thread's network namespace. The kernel does not reuse it until the machine boots again.
 * undefined: the kernel is older than Linux 5.14 and does not number namespaces.
 */
export function netnsCookie(): bigint | undefined {
  // A unix socket is the cheapest: it loads no module and waits for no lock.
  const fd = check('socket', c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    return cookieOf(fd);
  } finally {
    close(fd);
  }
}

/** The same for the namespace of a socket. */
export function cookieOf(socket: number): bigint | undefined {
  const value = new BigUint64Array(1);
  const result = c.getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, value, [value.byteLength]);
  if (result < 0 && errnoName(koffi.errno()) === 'ENOPROTOOPT') return undefined;
  check('getsockopt SO_NETNS_COOKIE', result);
  return value[0];
}

/**
 * A packet socket in the thread's network namespace, for whole frames. It has no protocol, so it receives nothing
 * (packet(7)). Non-blocking.
 */
export function openPacket(): number {
  return check('socket', c.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/** Sends one frame on the link with this index. */
export function sendFrame(fd: number, index: number, frame: Uint8Array): void {
  const address = new Uint8Array(20); // struct sockaddr_ll: the family, and the index at 4
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setInt32(4, index, true);
  check('sendto', c.sendto(fd, frame, frame.length, 0, address, address.length));
}

export function send(fd: number, bytes: Uint8Array): void {
  check('send', c.send(fd, bytes, bytes.length, 0));
}

/**
 * Receives one datagram into the buffer. Returns its length; 0: none waits. Throws ENOBUFS if datagrams were lost
 * before it.
 */
export function receive(fd: number, buffer: Uint8Array): number {
  return received(c.recv(fd, buffer, buffer.length, MSG_TRUNC), buffer);
}

function received(length: number, buffer: Uint8Array): number {
  if (length > buffer.length) throw new KernelError('EMSGSIZE', `datagram of ${length} bytes`);
  if (length >= 0) return length;
  const errno = koffi.errno();
  if (errno === EAGAIN) return 0;
  throw new KernelError(errnoName(errno), 'recv');
}

/** From now on the socket also receives from all namespaces that its own namespace has an nsid for (CAP_NET_BROADCAST). */
export function listenToAllNsids(fd: number): void {
  setNetlinkOption(fd, NETLINK_LISTEN_ALL_NSID, 1);
}

/** A buffer for datagrams that come with an nsid, and the struct msghdr around it. */
export class NsidBuffer {
  readonly bytes: Uint8Array;
  /** struct msghdr at 0, struct iovec at 56, a control message at 72. An ArrayBuffer has an address that does not change. */
  readonly header = new Uint8Array(new ArrayBuffer(112));
  readonly #view = new DataView(this.header.buffer);

  constructor(size: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(size));
    const header = koffi.address(this.header);
    this.#view.setBigUint64(16, header + 56n, true); // msg_iov
    this.#view.setBigUint64(24, 1n, true);
    this.#view.setBigUint64(32, header + 72n, true); // msg_control
    this.#view.setBigUint64(56, koffi.address(this.bytes), true);
    this.#view.setBigUint64(64, BigInt(size), true);
  }

  /** To be called before each datagram: the kernel overwrites the length of the control message. */
  empty(): void {
    this.#view.setUint32(40, 40, true); // msg_controllen; its upper half stays 0
  }

  /** The sender's namespace, as the receiver's namespace numbers it; undefined: the receiver's own namespace. */
  get nsid(): number | undefined {
    const isThere = this.#view.getUint32(40, true) > 0 && this.#view.getInt32(84, true) === NETLINK_LISTEN_ALL_NSID;
    return isThere ? this.#view.getInt32(88, true) : undefined;
  }
}

/** As `receive`; afterwards the buffer knows the nsid. */
export function receiveWithNsid(fd: number, buffer: NsidBuffer): number {
  buffer.empty();
  return received(c.recvmsg(fd, buffer.header, MSG_TRUNC), buffer.bytes);
}

export function close(fd: number): void {
  check('close', c.close(fd));
}

/** Whether an fd of the nsfs file system is a network namespace. */
export function isNetns(fd: number): boolean {
  return check('ioctl NS_GET_NSTYPE', c.ioctl(fd, NS_GET_NSTYPE)) === CLONE_NEWNET;
}

/** The index of the link with this name in the socket's namespace; undefined: there is no such link. */
export function interfaceIndex(socket: number, name: string): number | undefined {
  const request = new Uint8Array(40); // struct ifreq: the name, then a union that begins with the index
  const { read } = utf8.encodeInto(name, request.subarray(0, IFNAMSIZ - 1));
  if (read < name.length) return undefined;
  if (c.ifreqIoctl(socket, SIOCGIFINDEX, request) < 0) {
    const errno = errnoName(koffi.errno());
    if (errno === 'ENODEV') return undefined;
    throw new KernelError(errno, `ioctl SIOCGIFINDEX ${name}`);
  }
  return new DataView(request.buffer).getInt32(IFNAMSIZ, true);
}

export function setns(fd: number): void {
  check('setns', c.setns(fd, CLONE_NEWNET));
}

export function unshareNetns(): void {
  check('unshare', c.unshare(CLONE_NEWNET));
}

/** Mounts an empty directory over this one, permanently and for the calling thread only: for tests. */
export function hideDirectory(at: string): void {
  check('unshare', c.unshare(CLONE_NEWNS));
  check('mount /', c.mount('none', '/', 'none', MS_REC | MS_PRIVATE, null));
  check(`mount ${at}`, c.mount('none', at, 'tmpfs', 0, null));
}

export function bindMount(from: string, to: string): void {
  check(`mount ${to}`, c.mount(from, to, 'none', MS_BIND, null));
}

export function unmount(at: string): void {
  check(`umount ${at}`, c.umount2(at, MNT_DETACH));
}

export function gettid(): number {
  return c.gettid();
}

export interface Poll {
  /** Must be called before the fd is closed: polling a closed fd ends the process. */
  close(): void;
}

/**
 * Calls back, repeatedly, while the fd is readable or has an error. After an error libuv stops listening, and the
 * caller must make a new poll. An error that the callback throws is thrown again from the event loop: koffi does not
 * survive an exception inside a callback.
 */
export function pollReadable(fd: number, onReadable: () => void): Poll {
  const handle = koffi.node.poll(fd, { readable: true }, () => {
    try {
      onReadable();
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  });
  return {
    close: () => {
      handle.stop();
      handle.close();
    },
  };
}
