import { CausewayError } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Clients, Connect } from '../clients.ts';
import { Budget } from './budget.ts';
import { grpcAgent } from './grpc-agent.ts';
import { grpcManagers } from './grpc-managers.ts';
import type { OperatorSource } from './operator-credential.ts';

/** `context`: of which cluster. */
export type RenewIdentity = (context: string | undefined, source: OperatorSource, signal: AbortSignal) => Promise<void>;

export function grpcConnect(world: {
  /** The operator's, for connections to the managers. They are read before the first call. `context`: of which cluster. */
  readonly credentials: (context: string | undefined) => Promise<ChannelCredentials>;
  /** Renews the certificate of these credentials if it is time; absent: nothing is renewed. */
  readonly renewIdentity?: RenewIdentity;
  readonly clock: Clock;
  readonly actor: string;
  /** Called once with each remark of a server beside its answers. */
  readonly onRemark?: (remark: string) => void;
}): Connect {
  return (settings, signal): Clients => {
    const said = new Set<string>();
    const onRemark = (remark: string): void => {
      if (!said.has(remark)) world.onRemark?.(remark);
      said.add(remark);
    };
    const parts = { ...world, onRemark, signal, budget: new Budget(world.clock, settings.timeout) };
    let managers: ReturnType<typeof grpcManagers> | undefined;
    let agent: ReturnType<typeof grpcAgent> | undefined;
    return {
      get managers() {
        if (settings.managers.length === 0) {
          throw new CausewayError('invalid-argument', 'no manager address is set', { field: '--managers' });
        }
        managers ??= grpcManagers({ ...parts, credentials: () => world.credentials(settings.context) }, settings);
        return managers;
      },
      get agent() {
        agent ??= grpcAgent(parts, settings);
        return agent;
      },
      async renewIdentity() {
        const { renewIdentity } = world;
        if (renewIdentity === undefined || managers === undefined) return;
        const work = (source: OperatorSource, limit: AbortSignal): Promise<void> =>
          renewIdentity(settings.context, source, limit);
        await managers.renewIdentity(work);
      },
      close() {
        managers?.close();
        agent?.close();
      },
    };
  };
}
