/** Netlink as sockets: requests, batches, dumps and monitors, in any network namespace. And a socket that sends frames. */

export { bindUnixName, close, openEncapSocket, receive } from './libc.ts';
export { Monitor, type MonitorListener, type MonitorSettings } from './monitor.ts';
export {
  createNetns,
  deleteNetns,
  hasCookies,
  identifyNetns,
  identityOf,
  inNetns,
  inodeOf,
  isNetnsAt,
  leadsTo,
  openNetns,
  openNewNetns,
  ownNetns,
  withNetns,
} from './netns.ts';
export { PacketSocket } from './packet-socket.ts';
export { Slice } from './slice.ts';
export { chunkSize, type Failure, NetlinkSocket } from './socket.ts';
