import { fileURLToPath } from 'node:url';
import { espModules, runInUml } from '@causeway/uml';
import { atLeast, atMost, type Figure, median, ms } from '../figure.ts';
import { print } from '../print.ts';
import type { Mesh } from './mesh.ts';

/**
 * SAs and policies, in User-Mode Linux: its kernel has ESP, which the machine's may lack. There, system calls are several times as
 * slow as on the machine, for us and for iproute2.
 */
export async function benchEncryption(): Promise<Figure[]> {
  const program = fileURLToPath(new URL('./mesh.js', import.meta.url));
  const needs = { modules: [...espModules, 'veth'], memory: 1024, limit: 600 };
  const { peers, objects, adds, rekeys } = (await runInUml(program, needs)) as Mesh;
  const ours = rekeys.map((rekey) => rekey.ours);
  const theirs = rekeys.map((rekey) => rekey.theirs);
  const [{ rounds, changes } = { rounds: 0, changes: 0 }] = rekeys;
  return [
    {
      what: `${peers} peers: ${objects} SAs and policies read, planned and applied`,
      ours: ms(median(adds.ours)),
      beside: `ip -batch, adds alone ${print(ms(median(adds.theirs)))}`,
      ratio: median(adds.theirs) / median(adds.ours),
      target: atLeast(1, 'ratio'),
    },
    {
      what: `rekey of ${peers} peers: a host's work in ${rounds} rounds, ${changes} changes`,
      ours: ms(median(ours)),
      beside: `ip -batch, changes alone ${print(ms(median(theirs)))}`,
      ratio: median(theirs) / median(ours),
      target: atMost(1000),
    },
  ];
}
