import { CausewayError } from '@causeway/model';
import type { Credentials } from '@causeway/proto/io';
import type { Clock } from '@causeway/runtime';
import type { Clients, Connect } from '../clients.ts';
import { Budget } from './budget.ts';
import { GrpcAgent } from './grpc-agent.ts';
import { GrpcManagers } from './grpc-managers.ts';

export function grpcConnect(world: { credentials: Credentials; clock: Clock; actor: string }): Connect {
  return (settings, signal): Clients => {
    const parts = { ...world, signal, budget: new Budget(world.clock, settings.timeout) };
    let managers: GrpcManagers | undefined;
    let agent: GrpcAgent | undefined;
    return {
      get managers() {
        if (settings.managers.length === 0) {
          throw new CausewayError('invalid-argument', 'no manager address is set', { field: '--managers' });
        }
        managers ??= new GrpcManagers(parts, settings);
        return managers;
      },
      get agent() {
        agent ??= new GrpcAgent(parts, settings);
        return agent;
      },
      close() {
        managers?.close();
        agent?.close();
      },
    };
  };
}
