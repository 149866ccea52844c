import { applyPlan, type Kernel, type NetnsPath, ourReqid, SaKey, saKeySize } from '@causeway/datapath';
import { Ip } from '@causeway/model';
import type { Random } from '@causeway/runtime';

/** Ids of networks are random, so no network has this namespace. */
const probe = '/run/netns/cw-ffffffffff' as NetnsPath;

interface EspModules {
  readonly kernel: Kernel;
  readonly random: Random;
}

/** Whether the kernel has ESP. A module may be loaded at any time, so it is asked again when it matters. */
export class EspProbe {
  readonly #modules: EspModules;
  #why = '';

  constructor(modules: EspModules) {
    this.#modules = modules;
  }

  /** Why the kernel cannot encrypt, by its last answer; empty: it can, or was not asked yet. */
  get why(): string {
    return this.#why;
  }

  /** As `whyNoEsp`. */
  async ask(): Promise<string | undefined> {
    const why = await whyNoEsp(this.#modules);
    this.#why = why ?? '';
    return why;
  }
}

/**
 * Why the host's kernel cannot encrypt, in words; undefined: it can. Tries to make an SA in a namespace that is removed again. What
 * an earlier try left there is removed first.
 */
export async function whyNoEsp({ kernel, random }: EspModules): Promise<string | undefined> {
  const state = {
    direction: 'in',
    ...{ src: Ip('192.0.2.1'), dst: Ip('192.0.2.2'), spi: 0x100, reqid: ourReqid },
    ...{ key: SaKey.of(random.bytes(saKeySize)), limits: {}, isStrict: true },
  } as const;
  await applyPlan(kernel, [{ op: 'netns.delete', netns: probe }]);
  const failures = await applyPlan(kernel, [
    { op: 'netns.add', netns: probe },
    { op: 'xfrmState.add', netns: probe, state },
  ]);
  await applyPlan(kernel, [{ op: 'netns.delete', netns: probe }]);
  const [failed] = failures;
  if (failed === undefined) return undefined;
  return failed.op.op === 'xfrmState.add'
    ? `its kernel has no ESP with AES-GCM (${failed.errno}); the kernel modules are esp4, esp6, xfrm_user and gcm`
    : `its kernel could not be asked (${failed.errno})`;
}
