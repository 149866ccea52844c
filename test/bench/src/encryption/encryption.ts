import { fileURLToPath } from 'node:url';
import { espModules, type GuestNeeds, runInUml } from '@causeway/uml';
import { atLeast, atMost, type Figure, median, ms, perSecond } from '../figure.ts';
import { print } from '../print.ts';
import type { Mesh } from './mesh.ts';
import type { Throughput } from './throughput.ts';

/**
 * In User-Mode Linux: its kernel has ESP, which the machine's may lack. There, system calls are several times as slow as on the
 * machine, for us and for iproute2.
 */
export async function benchEncryption(): Promise<Figure[]> {
  return [
    ...meshFigures((await inGuest('mesh')) as Mesh),
    ...throughputFigures((await inGuest('throughput')) as Throughput),
  ];
}

const needs: GuestNeeds = { modules: [...espModules, 'veth', 'vxlan', 'bridge'], memory: 1024, limit: 600 };

function inGuest(program: 'mesh' | 'throughput'): Promise<unknown> {
  return runInUml(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), needs);
}

function meshFigures({ peers, objects, adds, rekeys }: Mesh): Figure[] {
  const middle = (part: 'ours' | 'theirs' | 'reading' | 'changing'): number => median(rekeys.map((each) => each[part]));
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
      ours: ms(middle('ours')),
      beside: `of which reads of the kernel ${print(ms(middle('reading')))}`,
      target: atMost(1000),
    },
    {
      what: `the same ${changes} changes alone, planned and applied`,
      ours: ms(middle('changing')),
      beside: `ip -batch ${print(ms(middle('theirs')))}`,
      ratio: middle('theirs') / middle('changing'),
      target: atLeast(1, 'ratio'),
    },
  ];
}

function throughputFigures({ ours, byHand, plain }: Throughput): Figure[] {
  return [
    {
      what: 'TCP between containers of an encrypted network, MiB',
      ours: perSecond(median(ours)),
      beside: `by hand, same cipher ${print(perSecond(median(byHand)))}`,
      ratio: median(ours) / median(byHand),
      target: atLeast(0.98, 'ratio'),
    },
    {
      what: 'the same, compared with a network that is not encrypted',
      ours: perSecond(median(ours)),
      beside: `not encrypted ${print(perSecond(median(plain)))}`,
      ratio: median(ours) / median(plain),
    },
  ];
}
