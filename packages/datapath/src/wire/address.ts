import { addressOf, familyOf, type InterfaceAddress, type Ip, interfaceAddress, lengthOf } from '@causeway/model';
import {
  type Encode,
  type MessageReader,
  type MessageWriter,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
} from '@causeway/netlink';
import { putIp, readIp } from './address-bytes.ts';
import * as k from './constants.ts';

/** struct ifaddrmsg: family, prefixlen, flags, scope, index u32. */
const ifaddrmsg = 8;

export interface AddressRecord {
  /** Index of the interface. */
  readonly index: number;
  readonly address: InterfaceAddress;
}

/** ip address add ADDRESS dev NAME nodad */
export function addAddress(index: number, address: InterfaceAddress): Encode {
  return (to) => {
    to.begin(k.RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    body(to, index, address);
    to.end();
  };
}

/** ip address delete ADDRESS dev NAME */
export function deleteAddress(index: number, address: InterfaceAddress): Encode {
  return (to) => {
    to.begin(k.RTM_DELADDR);
    body(to, index, address);
    to.end();
  };
}

/** ip address show */
export const dumpAddresses: Encode = (to) => {
  to.begin(k.RTM_GETADDR, NLM_F_DUMP);
  to.struct(ifaddrmsg);
  to.end();
};

/** undefined: an address that the kernel assigned (IPv6 link-local, host scope), or of an unknown family. */
export function readAddress(message: MessageReader): AddressRecord | undefined {
  const family = message.u8(0);
  const scope = message.u8(3);
  if (family !== k.AF_INET && family !== k.AF_INET6) return undefined;
  if (scope > k.RT_SCOPE_LINK || (family === k.AF_INET6 && scope === k.RT_SCOPE_LINK)) return undefined;
  let ip: Ip | undefined;
  let own: Ip | undefined;
  const attributes = message.attributes(ifaddrmsg);
  while (attributes.next()) {
    // On a point-to-point link IFA_ADDRESS is the other end's address; IFA_LOCAL, if present, is always our own.
    if (attributes.type === k.IFA_ADDRESS) ip = readIp(attributes);
    else if (attributes.type === k.IFA_LOCAL) own = readIp(attributes);
  }
  const address = own ?? ip;
  if (address === undefined) return undefined;
  return { index: message.i32(4), address: interfaceAddress(address, message.u8(1)) };
}

function body(to: MessageWriter, index: number, address: InterfaceAddress): void {
  const six = familyOf(address) === 6;
  const at = to.struct(ifaddrmsg);
  to.put8(at, six ? k.AF_INET6 : k.AF_INET);
  to.put8(at + 1, lengthOf(address));
  if (six) to.put8(at + 2, k.IFA_F_NODAD);
  to.put32(at + 4, index);
  putIp(to, k.IFA_LOCAL, addressOf(address));
  putIp(to, k.IFA_ADDRESS, addressOf(address));
}
