import { CausewayError, type Network, type NetworkId, type NodeId } from '@causeway/model';
import { type Clock, seconds } from '@causeway/runtime';
import type { HostReports } from '../controllers/host-reports.ts';
import { silenceLimit } from '../feed/liveness.ts';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { leastFor, roomOfNode } from '../plan/mtu.ts';
import type { Versioned, View } from '../store/view.ts';

export type MtuVerdict =
  /** No host sends frames on the network that are too large for this host. */
  | { readonly kind: 'open' }
  /** The network's MTU needs more than the host's underlay carries. */
  | { readonly kind: 'too-large' }
  /** Other hosts may still send frames of the former, larger MTU. */
  | { readonly kind: 'waits' };

/**
 * The rule: a host gets an endpoint of a network when no other host sends frames that the host's underlay does not carry.
 * The network's record has the largest MTU that the network ever had: a host whose underlay carries this MTU never waits.
 * Any other host waits until each host that may hold state of the network has applied the present record. A host without
 * a session counts, too, as long as it may merely be changing from one leader to the next. `carried`: see `roomOfNode`.
 */
export function judgeMtu(
  network: Versioned<Network>,
  carried: number,
  progress: () => HostsProgress,
  now: number,
): MtuVerdict {
  const { mtu, subnets } = network.value;
  const room = Math.max(carried, leastFor(subnets));
  if (mtu.kind === 'automatic' && mtu.bytes > room) return { kind: 'too-large' };
  if (mtu.highest === undefined || mtu.highest <= room) return { kind: 'open' };
  const { floor, silentSince } = progress(); // looks at each host of the network; most claims never need this
  if (floor !== undefined && floor < network.revision) return { kind: 'waits' };
  const isSettled = silentSince === undefined || now - silentSince >= silenceLimit;
  return { kind: isSettled ? 'open' : 'waits' };
}

interface MtuGateParts {
  readonly view: View;
  readonly hosts: Pick<HostReports, 'progress' | 'subscribeProgress'>;
  readonly clock: Clock;
}

/**
 * Time between two looks. A wait may end because a host has been silent for long enough, and no change is reported then.
 */
const lookAgain = seconds(1);

/** Holds claims back until no frame on their network is too large for their host. */
export class MtuGate {
  readonly #parts: MtuGateParts;

  constructor(parts: MtuGateParts) {
    this.#parts = parts;
  }

  /** Open also for an unknown network or host: the claim itself is refused then. */
  isOpen(network: string, node: NodeId): boolean {
    return this.#judge(network, node).kind === 'open';
  }

  /** Resolves when the gate is open. @throws CausewayError mtu-pending when the signal aborts first */
  async pass(network: string, node: NodeId, signal: AbortSignal): Promise<void> {
    const { view, hosts, clock } = this.#parts;
    for (;;) {
      const verdict = this.#judge(network, node);
      if (verdict.kind === 'open') return;
      if (signal.aborted) throw this.#pending(network, node);
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      const unsubscribe = [
        hosts.subscribeProgress(() => over.abort()),
        view.subscribe((changes) => {
          if (changes.some(({ kind }) => kind === 'network' || kind === 'reset')) over.abort();
        }),
      ];
      await clock.sleep(lookAgain, either);
      for (const leave of unsubscribe) leave();
    }
  }

  #judge(reference: string, id: NodeId): MtuVerdict {
    const { view, hosts, clock } = this.#parts;
    const node = view.nodes.get(id)?.value;
    const network = view.networks.get(reference as NetworkId) ?? view.networkNamed(reference as Network['name']);
    if (network === undefined || node === undefined) return { kind: 'open' };
    const carried = roomOfNode(view, node, network.value.driver);
    return judgeMtu(network, carried, () => hosts.progress(network.value.id), clock.now());
  }

  #pending(reference: string, id: NodeId): CausewayError {
    const { view } = this.#parts;
    const network = view.findNetwork(reference).value;
    const host = view.nodes.get(id)?.value.name ?? id;
    const message = `the MTU of network "${network.name}" is being lowered to ${network.mtu.bytes} bytes, which is what ${host} carries, and not every host has applied the change: try again`;
    return new CausewayError('mtu-pending', message, { network: network.name, host, mtu: network.mtu.bytes });
  }
}
