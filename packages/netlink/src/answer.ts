import * as k from './constants.ts';
import type { MessageReader } from './reader.ts';

/** The content of NLMSG_ERROR and NLMSG_DONE. */
export interface Answer {
  /** Positive; 0 is success. */
  readonly errno: number;
  /** The kernel's own text (extack); often empty. */
  readonly message: string;
}

/** struct nlmsgerr: error i32, header of the request (and, unless capped, the rest of it), then attributes. */
export function readAnswer(message: MessageReader): Answer {
  if (message.type === k.NLMSG_DONE) {
    return { errno: message.end - message.start >= 4 ? -message.i32(0) : 0, message: '' };
  }
  const errno = -message.i32(0);
  if ((message.flags & k.NLM_F_ACK_TLVS) === 0) return { errno, message: '' };
  const request = (message.flags & k.NLM_F_CAPPED) === 0 ? Math.min(message.u32(4), message.end - message.start) : 16;
  const attributes = message.attributes(4 + ((request + 3) & ~3));
  while (attributes.next()) {
    if (attributes.type === k.NLMSGERR_ATTR_MSG) return { errno, message: attributes.string() };
  }
  return { errno, message: '' };
}
