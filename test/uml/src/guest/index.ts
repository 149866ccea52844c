/** What programs in a guest have in common. */

export { ip, type Pings, ping, readPings, report, run } from './commands.ts';
export { type Ipsec, type IpsecKernel, KeyedHost } from './keyed-host.ts';
