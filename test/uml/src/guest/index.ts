/** What programs in a guest have in common. */

export { ip, type Pings, ping, readPings, report, run } from './commands.ts';
export { attachEverywhere, type Container, inside, marker, type Network, pingContainer } from './containers.ts';
export { type Ipsec, type IpsecKernel, KeyedHost } from './keyed-host.ts';
export { transfer } from './transfer.ts';
export { until } from './until.ts';
