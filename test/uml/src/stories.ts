import { fileURLToPath } from 'node:url';
import { type GuestNeeds, runInUml } from './boot.ts';
import type { Agents } from './stories/agents.ts';
import type { Esp } from './stories/esp.ts';
import type { Keys } from './stories/keys.ts';
import type { Nat } from './stories/nat.ts';
import type { Netem } from './stories/netem.ts';
import type { Rekey } from './stories/rekey.ts';

/** What each story finds. */
export interface Stories {
  readonly netem: Netem;
  readonly esp: Esp;
  readonly rekey: Rekey;
  readonly nat: Nat;
  readonly agents: Agents;
  readonly keys: Keys;
}

/** What ESP with AES-GCM needs. `seqiv` draws random numbers when an SA is made: the last three. */
export const espModules: readonly string[] = [
  ...['esp4', 'esp6', 'xfrm_user'],
  ...['gcm', 'ctr', 'ghash-generic', 'seqiv', 'hmac', 'sha512_generic', 'drbg'],
];
const links = ['veth', 'vxlan', 'bridge'];
/** A NAT that is made of filters of tc(8). */
const rewriting = ['sch_ingress', 'cls_flower', 'act_pedit', 'act_csum'];

const needs: Readonly<Record<keyof Stories, GuestNeeds>> = {
  netem: { modules: ['veth', 'bridge', 'sch_netem', 'nf_tables', 'nft_numgen'] },
  esp: { modules: [...espModules, ...links, 'sch_netem', 'iptable_filter', 'xt_policy', 'xt_tcpudp'] },
  rekey: { modules: [...espModules, ...links] },
  nat: { modules: [...espModules, ...links, ...rewriting, 'udp_diag'] },
  agents: { modules: [...espModules, ...links, 'nf_tables', 'iptable_filter'], memory: 1024, limit: 900 },
  keys: { modules: [...espModules, ...links, ...rewriting, 'nf_tables'], memory: 1024, limit: 600 },
};

/** Runs a story in a guest of its own. */
export async function tell<Name extends keyof Stories>(name: Name): Promise<Stories[Name]> {
  // As compiled: the guest's Node is the machine's, which may not run TypeScript.
  const program = fileURLToPath(new URL(`../dist/stories/${name}.js`, import.meta.url));
  return (await runInUml(program, needs[name])) as Stories[Name];
}
