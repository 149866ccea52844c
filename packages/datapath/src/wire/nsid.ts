import { type Encode, type MessageReader, NLM_F_DUMP } from '@causeway/netlink';
import * as k from './constants.ts';

/** struct rtgenmsg: family. */
const rtgenmsg = 4;

/**
 * ip netns set NAME NSID
 * From now on the socket's namespace knows the namespace of the fd by this number, until the latter ends. EEXIST: it has a number.
 */
export function setNsid(netns: number, nsid: number): Encode {
  return (to) => {
    to.begin(k.RTM_NEWNSID);
    to.struct(rtgenmsg);
    to.u32(k.NETNSA_NSID, nsid);
    to.u32(k.NETNSA_FD, netns);
    to.end();
  };
}

/** Asks for the number of the namespace of the fd. */
export function getNsid(netns: number): Encode {
  return (to) => {
    to.begin(k.RTM_GETNSID);
    to.struct(rtgenmsg);
    to.u32(k.NETNSA_FD, netns);
    to.end();
  };
}

/** ip netns list-id */
export const dumpNsids: Encode = (to) => {
  to.begin(k.RTM_GETNSID, NLM_F_DUMP);
  to.struct(rtgenmsg);
  to.end();
};

/** undefined: the namespace has no number. */
export function readNsid(message: MessageReader): number | undefined {
  let nsid = -1;
  const attributes = message.attributes(rtgenmsg);
  while (attributes.next()) if (attributes.type === k.NETNSA_NSID) nsid = attributes.u32() | 0;
  return nsid < 0 ? undefined : nsid;
}
