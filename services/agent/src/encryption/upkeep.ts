import { type Failure, type Kernel, type Op, plan } from '@causeway/datapath';
import { encryptedVxlanPort, family, type Ip } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, seconds } from '@causeway/runtime';
import { explain, logFailures, logOps } from '../reconcile/op-log.ts';
import type { RereadTimer } from '../reconcile/reread-timer.ts';
import type { EncryptedNetworks } from './encrypted-networks.ts';
import type { Gate } from './gate.ts';
import { applyIpsec, hasEncryptedTunnel, type Ipsec, isBlock } from './ipsec.ts';
import type { KnownIpsec } from './known-ipsec.ts';
import type { Send } from './own-record.ts';
import { ipsecOf, noIpsec, withoutDemands } from './round.ts';
import type { EncryptionRounds, RoundOutcome } from './rounds.ts';
import type { Verifications } from './verifications.ts';

export interface UpkeepModules {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: Log;
  readonly networks: EncryptedNetworks;
  readonly gate: Gate;
  readonly known: KnownIpsec;
  readonly rounds: EncryptionRounds;
  readonly timer: RereadTimer;
  readonly verifications: Verifications;
  /** Why the kernel cannot encrypt, in words; undefined: it can. */
  readonly whyNoEsp: () => Promise<string | undefined>;
  /** The process that has the port of encrypted tunnels, in words. undefined: such a tunnel of the family has the port, or nothing. */
  readonly portStranger: (family: 4 | 6) => string | undefined;
  readonly onRepaired: (repaired: RoundOutcome['repaired']) => void;
  /** How many changes the kernel refuses now. */
  readonly onRefused: (count: number) => void;
}

/** Shortest pause between two rounds: peers answer a change of this host at about the same time. */
const shortest = milliseconds(5);
const retry = seconds(1);

/**
 * What the host does to its kernel for its encrypted networks, one step at a time. A step returns when the next is due; undefined: when
 * something happens.
 */
export class Upkeep {
  readonly #modules: UpkeepModules;
  readonly #address: Ip;
  #hasEsp = false;
  /** Whether the kernel may have SAs, policies or sockets of ours. */
  #mayHaveAny = true;

  constructor(modules: UpkeepModules, settings: { readonly address: Ip }) {
    this.#modules = modules;
    this.#address = settings.address;
  }

  /** One round. `send`: absent while there is no session. */
  async protect(send: Send | undefined, signal: AbortSignal): Promise<Duration | undefined> {
    const { clock, networks, gate, known, rounds, timer, verifications, onRepaired, onRefused } = this.#modules;
    timer.watch();
    const began = clock.now();
    const look = await known.look();
    if (look.readTook !== undefined) timer.wholeReadTook(look.readTook);
    const why = await this.#whyNoEsp(look.found.xfrmStates.size > 0);
    if (why !== undefined) {
      timer.unwatch();
      gate.set({ why });
      return undefined;
    }
    this.#mayHaveAny = true;
    const stranger = this.#modules.portStranger(family(this.#address));
    if (stranger !== undefined) return await this.#keepOut(stranger, look.found);
    const { repaired, refused, nextIn } = await rounds.run(look, send);
    verifications.answer(look.drift);
    if (repaired.length > 0) onRepaired(repaired);
    onRefused(refused.length);
    const missing = refused.find(({ op }) => isBlock(op));
    if (networks.isAny) gate.set(missing === undefined ? 'ready' : { why: explain(missing) });
    await clock.sleep(milliseconds(Math.max(shortest, clock.now() - began)), signal);
    return nextIn;
  }

  /**
   * No encrypted network is left: SAs and policies go, when no tunnel is left that they protect. `isConfirmed`: what is not in the
   * tables is not desired.
   */
  async cease(isConfirmed: boolean): Promise<Duration | undefined> {
    const { kernel, networks, gate, known, timer, rounds } = this.#modules;
    rounds.forget();
    // From now on no network is made before the blocks are set again.
    gate.set('pending');
    timer.unwatch();
    known.reset();
    if (!this.#mayHaveAny || !isConfirmed) return undefined;
    const found = await known.read();
    const ops = plan(ipsecOf(found), ipsecOf(noIpsec));
    if (ops.length > 0 && (await hasEncryptedTunnel(kernel))) return retry;
    if (networks.isAny) return milliseconds(0);
    const refused = await this.#apply(ops);
    this.#mayHaveAny = refused.length > 0;
    return refused.length > 0 ? retry : undefined;
  }

  /** What the process writes to the port of a peer must not leave in ESP, and the process must not get what comes in ESP. */
  async #keepOut(stranger: string, found: Ipsec): Promise<Duration> {
    const { gate, known } = this.#modules;
    gate.set({ why: `${stranger} has UDP port ${encryptedVxlanPort}, which tunnels of encrypted networks need` });
    known.reset();
    await this.#apply(plan(ipsecOf(found), ipsecOf(withoutDemands(found))));
    return retry;
  }

  async #apply(ops: readonly Op[]): Promise<readonly Failure[]> {
    const { kernel, log, onRefused } = this.#modules;
    logOps(log, ops);
    const refused = await applyIpsec(kernel, ops);
    logFailures(log, refused, []);
    onRefused(refused.length);
    return refused;
  }

  async #whyNoEsp(isProved: boolean): Promise<string | undefined> {
    if (!this.#hasEsp && !isProved) {
      const why = await this.#modules.whyNoEsp();
      if (why !== undefined) return why;
    }
    this.#hasEsp = true;
    return undefined;
  }
}
